#define PY_SSIZE_T_CLEAN
#include <Python.h>

static PyObject *answer(PyObject *self, PyObject *ignored)
{
    return PyLong_FromLong(ANSWER);
}

static PyMethodDef methods[] = {{"answer", answer, METH_NOARGS, "A number."}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "voevent_tiny", NULL, -1, methods};

PyMODINIT_FUNC PyInit_voevent_tiny(void)
{
    return PyModule_Create(&module);
}

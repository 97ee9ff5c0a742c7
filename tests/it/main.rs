//! Tests of the two programs that need no root.

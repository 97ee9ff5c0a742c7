//! Services that answer well, and others that do all but that.

use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;

use super::*;
use crate::base::http::{OK, UrlPath};

const SHORT: Duration = Duration::from_millis(600);

/// A service that does this with each connection, after it has read a request.
fn serve(mut act: impl FnMut(&mut TcpStream, &str) + Send + 'static) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = Vec::new();
            let mut byte = [0];
            while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
                request.push(byte[0]);
            }
            act(&mut stream, &String::from_utf8(request).unwrap());
        }
    });
    port
}

fn answers(port: u16, contains: Option<&str>) -> Result<HttpAnswer, String> {
    let path = UrlPath::new("/health?all").unwrap();
    let question = HttpAsk { port, path, status: OK, contains: contains.map(str::to_owned) };
    let begun = Instant::now();
    let answer = ask(&question, SHORT);
    assert!(begun.elapsed() < SHORT * 3, "{:?}", begun.elapsed());
    answer.map_err(|error| error.to_string().replace(&port.to_string(), "PORT"))
}

fn gives(answer: &'static str, contains: Option<&str>) -> Result<HttpAnswer, String> {
    answers(serve(move |stream, _| drop(stream.write_all(answer.as_bytes()))), contains)
}

#[test]
fn a_service_that_is_well() {
    let port = serve(|stream, request| {
        assert!(request.starts_with("GET /health?all HTTP/1.1\r\n"), "{request}");
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nready\n").unwrap();
    });
    assert_eq!(answers(port, None), Ok(HttpAnswer { status: 200 }));
    assert_eq!(answers(port, Some("ready")), Ok(HttpAnswer { status: 200 }));
    let error = answers(port, Some("steady")).unwrap_err();
    assert_eq!(error, "http://127.0.0.1:PORT/health?all answered, but `steady` is not in the answer");
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nrea\r\n2\r\ndy\r\n0\r\n\r\n";
    assert_eq!(gives(chunked, Some("ready")), Ok(HttpAnswer { status: 200 }));
    let closing = "HTTP/1.0 200 OK\r\n\r\nready";
    assert_eq!(gives(closing, Some("ready")), Ok(HttpAnswer { status: 200 }));
}

#[test]
fn one_that_comes_up_is_waited_for() {
    let spare = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = spare.local_addr().unwrap().port();
    drop(spare);
    let error = answers(port, None).unwrap_err();
    assert_eq!(
        error,
        "http://127.0.0.1:PORT/health?all refused the connection for 600ms: nothing listens there"
    );
    let mut times = 0;
    let port = serve(move |stream, _| {
        times += 1;
        let status = if times < 2 { "503 Not Yet" } else { "200 OK" };
        write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").unwrap();
    });
    assert_eq!(answers(port, None), Ok(HttpAnswer { status: 200 }));
}

#[test]
fn other_answers() {
    for (answer, said) in [
        (
            "HTTP/1.1 404 X\r\nContent-Length: 0\r\n\r\n",
            "answered with the status 404 where 200 was expected",
        ),
        (
            "HTTP/1.1 302 X\r\nLocation: http://192.0.2.1/\r\nContent-Length: 0\r\n\r\n",
            "answered with the status 302 where 200 was expected; it redirects to `http://192.0.2.1/`",
        ),
        ("SSH-2.0-OpenSSH\r\n", "cannot be asked: what it answers is not taken: "),
        ("", "cannot be asked: it closed the connection before it had answered"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\nready", "cannot be asked: "),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
            "cannot be asked: what it answers is not taken: ",
        ),
    ] {
        let error = gives(answer, Some("steady")).unwrap_err();
        let wanted = format!("http://127.0.0.1:PORT/health?all {said}");
        assert!(error.starts_with(&wanted), "{answer:?}: {error}");
    }
}

#[test]
fn a_hostile_one_is_bounded() {
    let port = serve(|stream, _| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
        while stream.write_all(b"X-More: more\r\n").is_ok() {}
    });
    let error = answers(port, None).unwrap_err();
    assert!(
        error.ends_with("what it answers is not taken: http parse resulted in too many headers"),
        "{error}"
    );
    let port = serve(|stream, _| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nX-More: ");
        while stream.write_all(b"more").is_ok() {}
    });
    let error = answers(port, None).unwrap_err();
    assert!(error.contains("cannot be asked: "), "{error}");
    let port = serve(|stream, _| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        while stream.write_all(&[b'x'; 4096]).is_ok() {}
    });
    let error = answers(port, Some("y")).unwrap_err();
    assert!(error.ends_with("answered, but `y` is not in the first MiB of the answer"), "{error}");
    for slow in [&b"HTTP/1.1 200 OK\r\nX-More: "[..], b"HTTP/1.1 200 OK\r\n\r\n"] {
        let port = serve(move |stream, _| {
            let _ = stream.write_all(slow);
            while stream.write_all(b"x").is_ok() {
                sleep(Duration::from_millis(20));
            }
        });
        let error = answers(port, Some("y")).unwrap_err();
        assert!(error.ends_with("accepts connections, but no whole answer came within 600ms"), "{error}");
    }
}

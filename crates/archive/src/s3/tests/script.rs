//! An HTTP server that gives one scripted answer per request and remembers the requests.

use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

#[derive(Debug, Clone)]
pub(super) struct Answer(Option<String>, String);

impl Answer {
    pub(super) fn ok() -> Self {
        Self::status(200)
    }

    pub(super) fn status(status: u16) -> Self {
        Self(
            Some(format!("HTTP/1.1 {status} -\r\nconnection: close\r\n")),
            String::new(),
        )
    }

    /// Reads the request, then closes the connection without an answer.
    pub(super) fn hang_up() -> Self {
        Self(None, String::new())
    }

    pub(super) fn header(mut self, name: &str, value: &str) -> Self {
        if let Some(head) = &mut self.0 {
            head.extend([name, ": ", value, "\r\n"]);
        }
        self
    }

    pub(super) fn body(mut self, body: &str) -> Self {
        self.1 = body.to_owned();
        self.header("content-length", &body.len().to_string())
    }
}

#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) line: String,
    headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Request {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

pub(super) struct Script {
    port: u16,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Script {
    pub(super) async fn new(answers: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = requests.clone();
        tokio::spawn(async move {
            for answer in answers {
                let (mut stream, _) = listener.accept().await.unwrap();
                let request = read(&mut stream).await;
                seen.lock().unwrap().push(request);
                if let Some(head) = answer.0 {
                    let text = format!("{head}\r\n{}", answer.1);
                    stream.write_all(text.as_bytes()).await.unwrap();
                }
            }
        });
        Self { port, requests }
    }

    pub(super) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(super) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

async fn read(stream: &mut TcpStream) -> Request {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        assert!(
            stream.read_buf(&mut bytes).await.unwrap() > 0,
            "request ended early"
        );
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let line = lines.next().unwrap().to_owned();
    let headers: Vec<(String, String)> = lines
        .map(|line| line.split_once(':').unwrap())
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let mut request = Request {
        line,
        headers,
        body: bytes[end + 4..].to_vec(),
    };
    let length = request
        .header("content-length")
        .map_or(0, |length| length.parse().unwrap());
    while request.body.len() < length {
        assert!(
            stream.read_buf(&mut request.body).await.unwrap() > 0,
            "body ended early"
        );
    }
    request
}

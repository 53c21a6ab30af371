//! A server that answers from a script, byte by byte, so that it can also break off. What it was asked is kept.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use url::Url;

/// What to do with one request.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// Send this head and body with a matching length.
    Whole(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// Promise this many bytes, send fewer, and close.
    Short(u64, Vec<u8>),
    /// Send an answer without a length and close, so that only its content can tell that it is cut off.
    Unmeasured(Vec<u8>),
    /// Promise this many bytes, send fewer, and reset the connection.
    Reset(u64, Vec<u8>),
}

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// Method and target.
    pub(crate) line: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// Body.
    pub(crate) body: String,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(key, _)| key == name);
        found.next().map(|(_, value)| value.as_str())
    }

    pub(crate) fn form(&self, name: &str) -> Option<String> {
        url::form_urlencoded::parse(self.body.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }
}

pub(crate) fn json(body: &str) -> Reply {
    Reply::Whole(
        200,
        vec![("Content-Type", "application/json".into())],
        body.into(),
    )
}

pub(crate) fn status(status: u16) -> Reply {
    Reply::Whole(status, Vec::new(), Vec::new())
}

pub(crate) fn with(status: u16, name: &'static str, value: &str) -> Reply {
    Reply::Whole(status, vec![(name, value.to_owned())], Vec::new())
}

/// The server; its last reply is repeated for ever.
pub(crate) struct Server {
    pub(crate) url: Url,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    pub(crate) async fn start(script: impl IntoIterator<Item = Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let script = Arc::new(Mutex::new(script.into_iter().collect::<VecDeque<_>>()));
        let kept = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&kept), Arc::clone(&script)));
            }
        });
        Self { url, asked }
    }

    pub(crate) fn at(&self, path: &str) -> Url {
        self.url.join(path).unwrap()
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

async fn serve(mut stream: TcpStream, kept: Arc<Mutex<Vec<Asked>>>, script: Arc<Mutex<VecDeque<Reply>>>) {
    let Some(asked) = read(&mut stream).await else {
        return;
    };
    kept.lock().unwrap().push(asked);
    let reply = {
        let mut script = script.lock().unwrap();
        if script.len() > 1 {
            script.pop_front().unwrap()
        } else {
            script.front().unwrap().clone()
        }
    };
    write(stream, reply).await;
}

async fn write(mut stream: TcpStream, reply: Reply) {
    let close = "Connection: close\r\nDate: Fri, 20 Nov 2026 23:14:05 GMT\r\n";
    let (head, body) = match &reply {
        Reply::Whole(status, headers, body) => {
            let mut head = format!("HTTP/1.1 {status} X\r\n{close}Content-Length: {}\r\n", body.len());
            for (name, value) in headers {
                head.extend([name, ": ", value, "\r\n"]);
            }
            (head, body)
        }
        Reply::Short(promised, body) | Reply::Reset(promised, body) => (
            format!("HTTP/1.1 200 X\r\n{close}Content-Length: {promised}\r\n"),
            body,
        ),
        Reply::Unmeasured(body) => (format!("HTTP/1.1 200 X\r\n{close}"), body),
    };
    let mut bytes = format!("{head}\r\n").into_bytes();
    bytes.extend_from_slice(body);
    stream.write_all(&bytes).await.unwrap();
    if matches!(reply, Reply::Reset(..)) {
        stream.set_zero_linger().unwrap();
    } else {
        stream.shutdown().await.unwrap();
    }
}

async fn read(stream: &mut TcpStream) -> Option<Asked> {
    let mut bytes = Vec::new();
    loop {
        if let Some(asked) = parse(&bytes) {
            return Some(asked);
        }
        let mut chunk = [0; 4096];
        let length = stream.read(&mut chunk).await.ok()?;
        if length == 0 {
            return None;
        }
        bytes.extend_from_slice(&chunk[..length]);
    }
}

/// The request in `bytes`, once it is whole.
fn parse(bytes: &[u8]) -> Option<Asked> {
    let text = String::from_utf8(bytes.to_vec()).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lines = head.lines();
    let line = lines.next()?.trim_end_matches(" HTTP/1.1").to_owned();
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let length = headers
        .iter()
        .find(|(name, _)| name == "content-length")
        .map_or(0, |(_, value)| value.parse().unwrap());
    (body.len() >= length).then(|| Asked {
        line,
        headers,
        body: body.to_owned(),
    })
}

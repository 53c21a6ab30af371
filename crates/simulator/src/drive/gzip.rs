//! Compression. The service compresses only for a client that says twice that it can read it: `Accept-Encoding: gzip`, and the word `gzip`
//! in `User-Agent`.

use std::io::Write as _;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};

/// Compresses the answer, if the client may be sent it so.
pub(crate) async fn compress(request: Request, next: Next) -> Response {
    let wanted = wants(request.headers());
    let answer = next.run(request).await;
    if wanted { packed(answer).await } else { answer }
}

fn wants(headers: &HeaderMap) -> bool {
    let says = |name: HeaderName| {
        let values = headers.get_all(name).iter();
        values
            .filter_map(|value| value.to_str().ok())
            .any(|value| value.to_ascii_lowercase().contains("gzip"))
    };
    says(header::ACCEPT_ENCODING) && says(header::USER_AGENT)
}

async fn packed(answer: Response) -> Response {
    let (mut parts, body) = answer.into_parts();
    let Ok(bytes) = to_bytes(body, usize::MAX).await else {
        return Response::from_parts(parts, broken_off());
    };
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let packed = encoder.write_all(&bytes).and_then(|()| encoder.finish());
    let Ok(packed) = packed else {
        return Response::from_parts(parts, Body::from(bytes));
    };
    let headers = &mut parts.headers;
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    Response::from_parts(parts, Body::from(packed))
}

/// A body that breaks off stays one.
fn broken_off() -> Body {
    let reset = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
    Body::from_stream(futures::stream::iter([Err::<Bytes, _>(reset)]))
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use axum::{Router, middleware, routing::get};
    use flate2::read::GzDecoder;
    use tower::ServiceExt as _;

    use super::*;

    async fn ask(lines: &[(HeaderName, &str)]) -> (Option<String>, Vec<u8>) {
        let router = Router::new()
            .route("/", get(|| async { "{\"kind\":\"drive#about\"}" }))
            .layer(middleware::from_fn(compress));
        let mut request = Request::get("/");
        for (name, value) in lines {
            request = request.header(name, *value);
        }
        let answer = router
            .oneshot(request.body(Body::empty()).unwrap())
            .await
            .unwrap();
        let encoding = answer.headers().get(header::CONTENT_ENCODING);
        let encoding = encoding.map(|value| value.to_str().unwrap().to_owned());
        let bytes = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        (encoding, bytes.to_vec())
    }

    #[tokio::test]
    async fn both_headers_are_needed() {
        let (accept, agent) = (header::ACCEPT_ENCODING, header::USER_AGENT);
        for lines in [
            vec![],
            vec![(accept.clone(), "gzip")],
            vec![(agent.clone(), "client (gzip)")],
            vec![(accept.clone(), "br"), (agent.clone(), "client (gzip)")],
        ] {
            let (encoding, bytes) = ask(&lines).await;
            assert_eq!(encoding, None, "{lines:?}");
            assert_eq!(bytes, b"{\"kind\":\"drive#about\"}");
        }
        let (encoding, bytes) = ask(&[(accept, "gzip, deflate"), (agent, "client (gzip)")]).await;
        assert_eq!(encoding.as_deref(), Some("gzip"));
        let mut text = String::new();
        GzDecoder::new(&*bytes).read_to_string(&mut text).unwrap();
        assert_eq!(text, "{\"kind\":\"drive#about\"}");
    }
}

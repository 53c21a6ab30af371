//! A bucket on a real server, when `REVTRAIL_TEST_S3_ENDPOINT` names one. `tests/s3-server.sh` starts one.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    process::id,
};

use revtrail_archive::{Addressing, RetentionMode, S3Options};
use revtrail_simulator::{Options, Provider};

use crate::{Bench, FOLDER, Place, round_end, rounds};

/// Prefix of the archive in the bucket.
pub const PREFIX: &str = "revtrail";

/// A bucket on the test server.
#[derive(Debug)]
pub struct Bucket {
    endpoint: String,
    name: String,
}

/// An HTTP answer.
#[derive(Debug)]
pub struct Answer {
    /// Status.
    pub status: u16,
    /// The whole answer as text; what is no UTF-8 in it is replaced.
    pub text: String,
}

impl Bucket {
    /// A new bucket with Object Lock; `None` (after saying so) without a server.
    ///
    /// # Panics
    /// When the server refuses.
    pub fn create(what: &str) -> Option<Self> {
        Self::make(what, "x-amz-bucket-object-lock-enabled: true\r\n")
    }

    /// As [`Bucket::create`], without versions and locks.
    ///
    /// # Panics
    /// When the server refuses.
    pub fn without_lock(what: &str) -> Option<Self> {
        Self::make(what, "")
    }

    #[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
    fn make(what: &str, headers: &str) -> Option<Self> {
        let Ok(endpoint) = std::env::var("REVTRAIL_TEST_S3_ENDPOINT") else {
            println!("skipped: REVTRAIL_TEST_S3_ENDPOINT is not set");
            return None;
        };
        let bucket = Self {
            endpoint,
            name: format!("revtrail-e2e-{what}-{}", id()),
        };
        let made = bucket.send("PUT", "", headers, "");
        assert_eq!(made.status, 200, "{made:?}");
        Some(bucket)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A request as anybody could send it, without the client library that keeps us from doing wrong.
    ///
    /// # Panics
    /// When the server does not answer.
    pub fn send(&self, method: &str, target: &str, headers: &str, body: &str) -> Answer {
        let host = self.endpoint.trim_start_matches("http://").trim_end_matches('/');
        let length = body.len();
        // In one piece: the server may answer and close before the last of several.
        let request = format!(
            "{method} /{}{target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}",
            self.name
        );
        let text = exchange(host, &request).unwrap_or_else(|error| panic!("{method} {target}: {error}"));
        let status = text.split(' ').nth(1).and_then(|status| status.parse().ok());
        match status {
            Some(status) => Answer { status, text },
            None => panic!("{method} {target}: {text}"),
        }
    }

    /// Ids of all versions and delete markers of an object.
    ///
    /// # Panics
    /// When the server refuses.
    pub fn versions(&self, key: &str) -> Vec<String> {
        let listed = self.send("GET", &format!("?versions&prefix={PREFIX}/{key}"), "", "");
        assert_eq!(listed.status, 200, "{listed:?}");
        let ids = listed.text.split("<VersionId>").skip(1);
        ids.filter_map(|rest| rest.split('<').next())
            .map(str::to_owned)
            .collect()
    }

    /// The only version of an object.
    ///
    /// # Panics
    /// When there is another number of them.
    pub fn version(&self, key: &str) -> String {
        let mut versions = self.versions(key);
        assert_eq!(versions.len(), 1, "{key}: {versions:?}");
        versions.remove(0)
    }

    /// The `[archive]` section of a configuration that uses the bucket in compliance mode.
    pub fn config(&self) -> String {
        self.config_in("compliance")
    }

    /// As [`Bucket::config`], in another lock mode.
    pub fn config_in(&self, mode: &str) -> String {
        format!(
            "[archive]\nurl = \"s3://{}/{PREFIX}\"\nlock = {{ mode = \"{mode}\" }}\nregion = \"us-east-1\"\nendpoint_url = \"{}\"\n",
            self.name, self.endpoint
        )
    }

    /// Options of an archive in the bucket.
    pub fn options(&self) -> S3Options {
        S3Options {
            region: Some("us-east-1".to_owned()),
            endpoint: Some(self.endpoint.clone()),
            addressing: Addressing::Path,
            lock_mode: Some(RetentionMode::Compliance),
        }
    }

    /// A small run of the usual kind, archived in the bucket.
    ///
    /// # Panics
    /// When it fails.
    pub fn harvested(&self, count: i64) -> Bench {
        self.harvested_with(&self.config(), count)
    }

    /// As [`Bucket::harvested`], with this `[archive]` section.
    ///
    /// # Panics
    /// When it fails.
    pub fn harvested_with(&self, archive: &str, count: i64) -> Bench {
        let place = Place {
            name: "handbook",
            provider: Provider::Dropbox,
            path: FOLDER,
        };
        let bench = Bench::at(
            archive,
            rounds("Handbook", count, 6),
            Options::default(),
            &[place],
        );
        bench.init();
        for round in 0..count {
            bench.advance(round_end(round));
            let _harvested = bench.call(&["harvest"]).exits(0);
        }
        bench
    }
}

fn exchange(host: &str, request: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(host)?;
    stream.write_all(request.as_bytes())?;
    let mut bytes = Vec::new();
    let _length = stream.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

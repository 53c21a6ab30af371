use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;
use crate::fault::{Fault, FaultPlan};
use crate::quota::Quota;
use crate::sim::Options;
use crate::source::WorldSource;
use crate::world::Edit;

async fn get(url: &str, path: &str) -> String {
    let address = url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn every_answer_carries_the_virtual_date_once() {
    let edits = vec![Edit::created("2016-09-30T18:46:06Z".parse().unwrap(), "a", 1)];
    let sim = Sim::new(WorldSource::from_edits(edits), Options::default());
    sim.advance("2016-09-30T18:46:06.900Z".parse().unwrap()).unwrap();
    let running = serve(sim, Ports::default()).await.unwrap();
    for provider in Provider::ALL {
        let answer = get(running.url(provider), "/nowhere").await;
        assert!(
            answer.contains("date: Fri, 30 Sep 2016 18:46:06 GMT\r\n"),
            "{answer}"
        );
        assert_eq!(answer.to_lowercase().matches("\r\ndate:").count(), 1);
    }
    let throttle = Fault::Throttle429 {
        retry_after: Some("0.5".to_owned()),
    };
    running.sim().plan_faults(vec![FaultPlan::once(throttle)]);
    let refused = get(running.url(Provider::OneDrive), "/nowhere").await;
    assert!(refused.contains("retry-after: 0.5\r\n"), "{refused}");
    assert_eq!(running.sim().faults_fired().len(), 1);
    let counts: u64 = running.sim().counts().values().flat_map(BTreeMap::values).sum();
    assert_eq!(counts, 4);
}

/// Serves a world of nothing with a quota of five units, and one call to Dropbox.
async fn under_a_quota() -> Running {
    let options = Options {
        quota: Some(Quota {
            onedrive_per_minute: 5,
            google_drive_per_minute: 5,
            dropbox_per_minute: 1,
            ..Quota::PUBLISHED
        }),
        ..Options::default()
    };
    let sim = Sim::new(WorldSource::from_edits(Vec::new()), options);
    serve(sim, Ports::default()).await.unwrap()
}

#[tokio::test]
async fn little_left_is_told_and_nothing_left_is_refused() {
    let running = under_a_quota().await;
    // Lists cost two, whatever comes of them, and four units of five are nearly all.
    let versions = "/v1.0/drives/b%21x/items/1/versions";
    let ask = async || get(running.url(Provider::OneDrive), versions).await;
    let first = ask().await;
    assert!(
        first.starts_with("HTTP/1.1 401") && !first.contains("ratelimit"),
        "{first}"
    );
    let second = ask().await;
    assert!(
        second.contains("ratelimit-limit: 5\r\n") && second.contains("ratelimit-remaining: 1\r\n"),
        "{second}"
    );
    let third = ask().await;
    assert!(
        third.starts_with("HTTP/1.1 429") && third.contains("activityLimitReached"),
        "{third}"
    );
    assert!(third.contains("ratelimit-remaining: 0\r\n"), "{third}");
    for header in ["retry-after: ", "ratelimit-reset: "] {
        let (_, value) = third.split_once(header).unwrap();
        let seconds: u64 = value.lines().next().unwrap().parse().unwrap();
        assert!((50..=60).contains(&seconds), "{third}");
    }
    let used = running.sim().used()[&Provider::OneDrive];
    assert_eq!((used.requests, used.units, used.refused), (3, 6, 1));
}

#[tokio::test]
async fn each_provider_refuses_in_its_own_way() {
    let running = under_a_quota().await;
    let ask = async |provider, path| get(running.url(provider), path).await;
    let first = ask(Provider::GoogleDrive, "/drive/v3/about").await;
    assert!(first.starts_with("HTTP/1.1 401"), "{first}");
    let refused = ask(Provider::GoogleDrive, "/drive/v3/about").await;
    assert!(
        refused.to_lowercase().contains("ratelimitexceeded") && !refused.contains("retry-after"),
        "{refused}"
    );
    let first = ask(Provider::Dropbox, "/nowhere").await;
    assert!(first.starts_with("HTTP/1.1 404"), "{first}");
    let refused = ask(Provider::Dropbox, "/nowhere").await;
    assert!(
        refused.starts_with("HTTP/1.1 429") && refused.contains("too_many_requests"),
        "{refused}"
    );
    assert!(refused.contains("retry-after: "), "{refused}");
    let used = running.sim().used();
    let of = |provider: Provider| (used[&provider].units, used[&provider].refused);
    assert_eq!(of(Provider::GoogleDrive), (10, 1));
    assert_eq!(of(Provider::Dropbox), (2, 1));
}

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;
use crate::fault::{Fault, FaultPlan};
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

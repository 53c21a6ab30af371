//! Providers that misbehave without losing anything.

use revtrail_simulator::{Fault, FaultPlan, Provider};

/// Faults that lose nothing, of every kind that this provider has.
pub fn harmless(provider: Provider) -> Vec<Fault> {
    let after = |wait: &str| Some(wait.to_owned());
    let mut faults = vec![
        Fault::Throttle429 { retry_after: None },
        Fault::Throttle429 {
            retry_after: after("0"),
        },
        Fault::Throttle429 {
            retry_after: after("0.3"),
        },
        Fault::Unavailable503 { retry_after: None },
        Fault::Unavailable503 {
            retry_after: after("0"),
        },
        Fault::ResetMidBody,
        Fault::TruncatedJson,
        Fault::ExpiredToken,
        Fault::EmptyPage,
        Fault::DuplicateItems,
        Fault::UnknownFields,
        Fault::Internal500,
        Fault::Timeout504,
    ];
    match provider {
        Provider::OneDrive => faults.extend([Fault::BatchInner429, Fault::BatchInner424]),
        Provider::GoogleDrive => faults.extend([Fault::DriveRateLimit403, Fault::BatchInner429]),
        Provider::Dropbox => {}
    }
    faults
}

/// Each fires at another request first, and then again and again, but never so often that a retry budget runs out.
pub fn spread(faults: Vec<Fault>, provider: Provider) -> Vec<FaultPlan> {
    let plan = |(place, fault): (usize, Fault)| FaultPlan {
        provider: Some(provider),
        first: 1 + place as u64 % 4,
        every: 11 + place as u64,
        times: 6,
        ..FaultPlan::once(fault)
    };
    faults.into_iter().enumerate().map(plan).collect()
}

/// As [`spread`], to the end of a long history: rarer, each in its own rhythm, so that they meet in ever new ways. Those which make
/// the client wait for real, because the provider names a time in a header or in the body, come seldom.
pub fn spread_for_long(faults: Vec<Fault>, provider: Provider) -> Vec<FaultPlan> {
    const RHYTHMS: [u64; 13] = [31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83];
    let plan = |(plan, rhythm): (FaultPlan, &u64)| {
        let waits = matches!(plan.fault, Fault::Throttle429 { .. } | Fault::BatchInner429);
        FaultPlan {
            every: if waits { rhythm * 8 } else { *rhythm },
            times: if waits { 8 } else { u64::MAX },
            ..plan
        }
    };
    let faults = spread(faults, provider).into_iter();
    faults.zip(RHYTHMS.iter().cycle()).map(plan).collect()
}

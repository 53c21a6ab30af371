//! Work done ahead, on as many threads as there are processors, and taken in order.

use std::{
    num::NonZero,
    sync::mpsc::{Receiver, sync_channel},
    thread,
};

/// Results that wait on a thread, besides the one in the making: memory is bounded by this times the number of threads.
const WAITING: usize = 1;

/// Calls `work` for each place below `count`, several at once, and `judge` with each result in order. Ends early with the first
/// error.
pub(crate) fn in_order<T: Send, E: Send>(
    count: u64,
    work: impl Fn(u64) -> Result<T, E> + Sync,
    mut judge: impl FnMut(u64, T) -> Result<(), E>,
) -> Result<(), E> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get) as u64;
    let threads = threads.min(count);
    let work = &work;
    thread::scope(|scope| {
        let receivers: Vec<Receiver<Result<T, E>>> = (0..threads)
            .map(|first| {
                let (sender, receiver) = sync_channel(WAITING);
                scope.spawn(move || {
                    let mut place = first;
                    // Nobody waits any more after an error.
                    while place < count && sender.send(work(place)).is_ok() {
                        place += threads;
                    }
                });
                receiver
            })
            .collect();
        for (place, receiver) in (0..count).zip(receivers.iter().cycle()) {
            match receiver.recv() {
                Ok(made) => judge(place, made?)?,
                // The thread panicked; the scope passes that on.
                Err(_) => break,
            }
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_everything_in_order() {
        for count in [0, 1, 2, 3, 100] {
            let mut taken = Vec::new();
            let made = in_order(
                count,
                |place| Ok::<_, ()>(place * 2),
                |place, made| {
                    taken.push((place, made));
                    Ok(())
                },
            );
            assert_eq!(made, Ok(()));
            let expected: Vec<_> = (0..count).map(|place| (place, place * 2)).collect();
            assert_eq!(taken, expected);
        }
    }

    #[test]
    fn ends_with_the_first_error() {
        let mut taken = 0;
        let fail = |place| if place >= 10 { Err(place) } else { Ok(()) };
        let outcome = in_order(1000, fail, |_, ()| {
            taken += 1;
            Ok(())
        });
        assert_eq!((outcome, taken), (Err(10), 10));
        let outcome = in_order(1000, Ok, |place, _: u64| if place == 7 { Err(7) } else { Ok(()) });
        assert_eq!(outcome, Err(7));
    }
}

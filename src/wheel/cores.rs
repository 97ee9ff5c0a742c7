//! Work on all cores.

use std::cmp::Reverse;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Does jobs on all cores, the heaviest first, and gives the results in the order of the jobs: so how many cores there
/// are changes nothing but the time.
pub fn on_all_cores<J: Send, R: Send>(jobs: Vec<(u64, J)>, work: impl Fn(J) -> R + Sync) -> Vec<R> {
    let mut order: Vec<usize> = (0..jobs.len()).collect();
    order.sort_by_key(|&index| Reverse(jobs[index].0));
    let jobs: Vec<_> = jobs.into_iter().map(|(_, job)| Mutex::new(Some(job))).collect();
    let results: Vec<_> = jobs.iter().map(|_| Mutex::new(None)).collect();
    let next = AtomicUsize::new(0);
    let worker = || {
        while let Some(&index) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
            let job = jobs[index].lock().unwrap_or_else(PoisonError::into_inner).take();
            let result = job.map(&work);
            *results[index].lock().unwrap_or_else(PoisonError::into_inner) = result;
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from).min(jobs.len().max(1));
    std::thread::scope(|scope| {
        for _ in 1..cores {
            scope.spawn(worker);
        }
        worker();
    });
    // Every job was taken once; where one panicked, the scope has passed that on.
    results
        .into_iter()
        .filter_map(|result| result.into_inner().unwrap_or_else(PoisonError::into_inner))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_jobs() {
        let jobs = (0..100_u64).map(|n| (n % 7, n)).collect();
        assert_eq!(on_all_cores(jobs, |n| n * 2), (0..100).map(|n| n * 2).collect::<Vec<_>>());
        assert!(on_all_cores(Vec::<(u64, ())>::new(), |()| 1).is_empty());
    }
}

//! What an input may cost: time of the processor, so that a busy machine fails nobody, and memory.

#![expect(clippy::disallowed_methods, reason = "a test: it writes its records")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::targets::Target;

/// The most time of the processor that an input may take.
const MAX_TIME: Duration = Duration::from_secs(1);
/// The most memory that may be allocated at once.
const MAX_MEMORY: usize = 512 << 20;

/// What is allocated, and the most that was since it was last asked.
static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

/// The system's allocator, counted: above the bound there is no more.
pub(crate) struct Memory;

#[expect(unsafe_code, reason = "the interface of an allocator")]
// SAFETY: all is passed on to the system's allocator, or refused by null.
unsafe impl GlobalAlloc for Memory {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Relaxed) + layout.size();
        if now > MAX_MEMORY {
            NOW.fetch_sub(layout.size(), Relaxed);
            return std::ptr::null_mut();
        }
        PEAK.fetch_max(now, Relaxed);
        // SAFETY: the caller's layout.
        unsafe { System.alloc(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let more = size.saturating_sub(layout.size());
        let now = NOW.fetch_add(more, Relaxed) + more;
        if now > MAX_MEMORY {
            NOW.fetch_sub(more, Relaxed);
            return std::ptr::null_mut();
        }
        NOW.fetch_sub(layout.size().saturating_sub(size), Relaxed);
        PEAK.fetch_max(now, Relaxed);
        // SAFETY: what the caller got from here came from there.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Relaxed);
        // SAFETY: what the caller got from here came from there.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// The most that an input has cost so far, in milliseconds and bytes.
#[derive(Default, Clone, Copy, PartialEq)]
struct Records {
    time: Duration,
    memory: usize,
}

/// Watches the inputs of a target.
pub(crate) struct Watch {
    path: PathBuf,
    records: Mutex<Records>,
    /// The input that is being looked at: after an exhausted stack nobody else can say.
    current: Option<File>,
}

impl Watch {
    pub(crate) fn new(path: PathBuf) -> Self {
        let current = File::create(beside(&path, "current"));
        let current = current.inspect_err(|error| eprintln!("beside `{}`: {error}", path.display())).ok();
        Self { path, records: Mutex::default(), current }
    }

    /// Feeds an input to the target. One that takes too long is given two more chances.
    pub(crate) fn run(&self, target: &Target, input: &[u8]) {
        if let Some(file) = &self.current {
            // It is the length that says how much of it counts.
            let _ = file.write_all_at(input, 0).and_then(|()| file.set_len(input.len() as u64));
        }
        let (mut time, memory) = measured(target, input);
        for _ in 0..2 {
            if time > MAX_TIME {
                time = time.min(measured(target, input).0);
            }
        }
        assert!(time <= MAX_TIME, "an input of `{}` takes {time:?} of the processor", target.name);
        self.note(time, memory, input);
    }

    /// Keeps what it cost, and the input itself where none took longer.
    fn note(&self, time: Duration, memory: usize, input: &[u8]) {
        let Ok(mut records) = self.records.lock() else { return };
        let new = Records { time: records.time.max(time), memory: records.memory.max(memory) };
        if new == *records {
            return;
        }
        let line = format!("{} {}\n", new.time.as_millis(), new.memory >> 20);
        let slowest = beside(&self.path, "slowest");
        let kept = if new.time > records.time { std::fs::write(slowest, input) } else { Ok(()) };
        *records = new;
        if let Err(error) = kept.and_then(|()| std::fs::write(&self.path, line)) {
            eprintln!("cannot write `{}`: {error}", self.path.display());
        }
    }
}

/// A file beside the records.
fn beside(records: &Path, extension: &str) -> PathBuf {
    records.with_extension(extension)
}

/// What an input takes of the processor and, above what there was before, of memory.
fn measured(target: &Target, input: &[u8]) -> (Duration, usize) {
    let before = NOW.load(Relaxed);
    PEAK.store(before, Relaxed);
    let start = used();
    (target.run)(input);
    (used().saturating_sub(start), PEAK.load(Relaxed).saturating_sub(before))
}

/// The time of the processor that this thread has used.
fn used() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).unwrap_or(0))
}

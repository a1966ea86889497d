//! What a station of this program runs on, with a window or without: a few threads, and as many open files
//! as the system allows, because each board of a rack holds some.

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use std::io;
use std::num::NonZero;
use std::thread::available_parallelism;
use tokio::runtime::{Builder, Runtime};

/// Most files that are asked for.
const FILES: u64 = 65_536;

/// Makes it.
pub(crate) fn start() -> io::Result<Runtime> {
    raise_file_limit();
    Builder::new_multi_thread()
        .worker_threads(available_parallelism().map_or(2, NonZero::get).clamp(2, 4))
        .enable_all()
        .build()
}

fn raise_file_limit() {
    let raised = getrlimit(Resource::RLIMIT_NOFILE)
        .and_then(|(_, most)| setrlimit(Resource::RLIMIT_NOFILE, most.min(FILES), most));
    if let Err(error) = raised {
        tracing::warn!(%error, "the limit of open files stays as it is");
    }
}

//! What this process takes of its machine, from `/proc` (proc(5)).

use procfs::process::Process;

/// The figures. Memory and times in base units.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Figures {
    /// Processor time used, in seconds.
    pub cpu_seconds: f64,
    /// Memory in use, in bytes.
    pub resident_bytes: u64,
    /// Address space, in bytes.
    pub virtual_bytes: u64,
    /// Threads.
    pub threads: u64,
    /// Open file descriptors.
    pub open_fds: u64,
    /// Most of them at once.
    pub max_fds: u64,
    /// When it started, in seconds since 1970.
    pub started: f64,
}

/// The figures of this process now. What the kernel does not tell is zero.
pub fn figures() -> Figures {
    read().unwrap_or_else(|error| {
        tracing::debug!(%error, "the process's own figures cannot be read");
        Figures::default()
    })
}

fn read() -> procfs::ProcResult<Figures> {
    let process = Process::myself()?;
    let stat = process.stat()?;
    let per_second = procfs::ticks_per_second() as f64;
    let limit = process.limits()?.max_open_files.soft_limit;
    Ok(Figures {
        cpu_seconds: (stat.utime + stat.stime) as f64 / per_second,
        resident_bytes: stat.rss * procfs::page_size(),
        virtual_bytes: stat.vsize,
        threads: u64::try_from(stat.num_threads).unwrap_or(0),
        open_fds: process.fd_count()? as u64,
        max_fds: match limit {
            procfs::process::LimitValue::Value(most) => most,
            procfs::process::LimitValue::Unlimited => u64::MAX,
        },
        started: procfs::boot_time_secs()? as f64 + stat.starttime as f64 / per_second,
    })
}

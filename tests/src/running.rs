//! A program started by a test. It gets a process group of its own and dies with its owner, with
//! all that it started, however the test ends.

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

/// A running program.
pub struct Running {
    child: Child,
    name: String,
}

impl Running {
    /// Starts a program. Its output goes where the command says.
    pub fn start(mut command: Command) -> Self {
        let name = format!("{command:?}");
        let child = command
            .process_group(0)
            .spawn()
            .unwrap_or_else(|e| panic!("could not start {name}: {e}"));
        Self { child, name }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The child, for its pipes.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Sends a signal to it and everything it started.
    pub fn signal(&self, signal: Signal) {
        // A process that has ended already needs no signal.
        let _ = killpg(group(&self.child), signal);
    }

    /// SIGKILL, as a power cut or a crash would; returns when it is gone.
    pub fn kill(mut self) {
        self.stop();
    }

    /// Waits for its end by itself; panics when that takes longer.
    pub fn wait(&mut self, at_most: Duration) -> ExitStatus {
        let deadline = Instant::now() + at_most;
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => return status,
                Ok(None) if Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(10));
                }
                Ok(None) => panic!("{} did not end within {at_most:?}", self.name),
                Err(e) => panic!("{}: {e}", self.name),
            }
        }
    }

    /// Waits for its end for as long as that takes, without looking again and again.
    pub fn wait_blocking(&mut self) -> ExitStatus {
        self.child
            .wait()
            .unwrap_or_else(|e| panic!("{}: {e}", self.name))
    }

    /// Has it ended?
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    fn stop(&mut self) {
        self.signal(Signal::SIGKILL);
        let _ = self.child.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}

fn group(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).unwrap_or(i32::MAX))
}

/// Runs a program to its end and returns what it said; panics when it cannot be started.
pub fn output(command: &mut Command) -> Output {
    command
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|e| panic!("could not run {command:?}: {e}"))
}

/// Runs a program that must succeed; returns its standard output.
pub fn expect(command: &mut Command) -> String {
    let said = output(command);
    assert!(
        said.status.success(),
        "{command:?} ended with {}: {}{}",
        said.status,
        String::from_utf8_lossy(&said.stdout),
        String::from_utf8_lossy(&said.stderr)
    );
    String::from_utf8_lossy(&said.stdout).into_owned()
}

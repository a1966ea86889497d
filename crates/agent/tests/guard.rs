//! The program itself, started where it must not run.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends here")]

use std::process::{Command, Output};

fn output(command: &mut Command) -> Output {
    command.output().unwrap()
}

fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn started_by_hand_it_refuses_and_does_nothing() {
    let refused = output(&mut Command::new(env!("CARGO_BIN_EXE_punnet-agent")));
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        words(&refused).contains("runs only as /init"),
        "{}",
        words(&refused)
    );
    assert!(
        words(&refused).contains("Nothing was done"),
        "{}",
        words(&refused)
    );
    assert!(refused.stdout.is_empty());
}

/// A container makes anything PID 1; it is still no board.
#[test]
fn as_pid_1_of_a_container_it_refuses_too() {
    let unshare = |program: &str| {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--pid", "--fork", program]);
        command
    };
    // Where namespaces are not allowed there are no containers to refuse in.
    if !unshare("true").status().is_ok_and(|s| s.success()) {
        return;
    }
    let refused = output(&mut unshare(env!("CARGO_BIN_EXE_punnet-agent")));
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        words(&refused).contains("no initramfs"),
        "{}",
        words(&refused)
    );
}

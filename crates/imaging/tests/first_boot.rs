//! The first-boot script, run for real with each program that an image may have to make the call.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends here")]

use imaging::personalise::{FIRST_BOOT_SCRIPT, Mount, Mounted, apply};
use std::fs;
use std::io::{self, Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use wire::agent::{Hello, HelloCall, Personalise};
use wire::image::Grow;

struct NoMount;
impl Mount for NoMount {
    fn make_writable(&mut self) -> io::Result<()> {
        Ok(())
    }
    fn grow(&mut self, partition_bytes: u64) -> io::Result<u64> {
        Ok(partition_bytes)
    }
    fn unmount(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What every image has, however small.
const BASE: [&str; 5] = ["sh", "rm", "sleep", "sed", "timeout"];

fn find(program: &str) -> Option<PathBuf> {
    ["/usr/bin", "/bin", "/usr/sbin", "/sbin"]
        .iter()
        .map(|folder| Path::new(folder).join(program))
        .find(|path| path.exists())
}

/// Personalises an empty root, moves the script's paths into it and runs the script with only
/// `programs` to be found. Returns the calls it made.
fn run(programs: &[&str], answers: &'static [&'static str]) -> (Vec<Hello>, tempfile::TempDir) {
    let station = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = station.local_addr().unwrap().port();
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    fs::create_dir_all(root.join("etc")).unwrap();
    let wanted = Personalise {
        grow: Grow::Never,
        fresh_machine_id: false,
        fresh_ssh_keys: false,
        hello: Some(HelloCall {
            url: format!("http://127.0.0.1:{port}/agent/v1/hello"),
            secret: "s3cret".to_owned(),
        }),
    };
    let mut system = Mounted::new(root.clone(), NoMount);
    apply(&mut system, &"a".parse().unwrap(), &wanted).unwrap();

    let moved = format!("{}/usr/lib/punnet", root.display());
    let rc_local = root.join("etc/rc.local");
    let text = fs::read_to_string(&rc_local).unwrap();
    assert!(text.contains("/usr/lib/punnet/first-boot"), "{text}");
    fs::write(&rc_local, text.replace("/usr/lib/punnet", &moved)).unwrap();

    let bin = dir.path().join("bin");
    fs::create_dir(&bin).unwrap();
    for program in BASE.iter().chain(programs) {
        symlink(find(program).unwrap(), bin.join(program)).unwrap();
    }
    let script = fs::read_to_string(root.join(&FIRST_BOOT_SCRIPT[1..])).unwrap();
    let script = script
        .replace("/usr/lib/punnet", &moved)
        .replace("/etc/rc.local", &format!("{}/etc/rc.local", root.display()))
        .replace("/etc/systemd", &format!("{}/etc/systemd", root.display()))
        .replace("sleep 4", "sleep 0.1");
    let path = script.lines().find(|l| l.starts_with("PATH=")).unwrap();
    let script = script.replace(path, &format!("PATH={}", bin.display()));
    let place = dir.path().join("first-boot");
    fs::write(&place, script).unwrap();

    let calls = std::thread::spawn(move || {
        answers
            .iter()
            .map(|answer| serve(&station, answer))
            .collect()
    });
    let status = Command::new("/bin/sh").arg(&place).status().unwrap();
    assert!(status.success());
    (calls.join().unwrap(), dir)
}

fn serve(station: &TcpListener, answer: &str) -> Hello {
    let (mut board, _) = station.accept().unwrap();
    let mut request = Vec::new();
    loop {
        let mut piece = [0; 1024];
        let got = board.read(&mut piece).unwrap();
        request.extend_from_slice(&piece[..got]);
        let text = String::from_utf8_lossy(&request).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head
            .lines()
            .find_map(|l| {
                l.to_ascii_lowercase()
                    .strip_prefix("content-length:")
                    .map(str::to_owned)
            })
            .unwrap();
        if body.len() < length.trim().parse::<usize>().unwrap() {
            continue;
        }
        assert!(head.starts_with("POST /agent/v1/hello HTTP/1."), "{head}");
        assert!(
            head.to_ascii_lowercase()
                .contains("content-type: application/json"),
            "{head}"
        );
        write!(
            board,
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{answer}",
            answer.len()
        )
        .unwrap();
        return serde_json::from_str(body).unwrap();
    }
}

const YES: &[&str] = &[r#"{"confirmed":true}"#];

#[test]
fn every_program_that_can_call_does() {
    for program in ["curl", "wget", "busybox", "bash"] {
        if find(program).is_none() {
            continue;
        }
        let (calls, dir) = run(&[program], YES);
        let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
        assert_eq!(calls[0].secret, "s3cret", "{program}");
        assert_eq!(calls[0].hostname, name.trim(), "{program}");
        let root = dir.path().join("root");
        assert!(
            !root.join("usr/lib/punnet").exists(),
            "{program} left its home"
        );
        let rc = fs::read_to_string(root.join("etc/rc.local")).unwrap();
        assert_eq!(rc, "#!/bin/sh\nexit 0\n", "{program}");
    }
}

#[test]
fn it_calls_again_until_it_is_confirmed() {
    let (calls, _) = run(
        &["bash"],
        &[r#"{"confirmed":false}"#, r#"{"confirmed": true}"#],
    );
    assert_eq!(calls.len(), 2);
}

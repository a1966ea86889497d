use super::*;

fn here() -> Environment {
    Environment {
        home: Some("/home/tess".into()),
        ..Environment::default()
    }
}

fn problems(text: &str) -> Vec<String> {
    understand(text, &here())
        .expect_err("was accepted")
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn an_empty_file_means_the_defaults() {
    let config = understand("", &here()).unwrap();
    assert_eq!(config, Config::defaults(&here()));
    assert_eq!(config.data_dir, Path::new("/home/tess/.local/share/punnet"));
    assert_eq!(config.deployment.address.to_string(), "192.168.151.1/24");
    let leases = config.deployment.leases.to_string();
    assert_eq!(leases, "192.168.151.100-192.168.151.250");
    assert_eq!(config.deployment.dhcp_port, 67);
    assert_eq!(config.management.listen.to_string(), "127.0.0.1:5000");
    assert!(config.boards.require_token && !config.dhcp.answer_uefi);
    assert_eq!(config.boards.device_api, DeviceApi::Boards);
    let plan = config.backup_plan();
    assert_eq!(plan.dir, config.data_dir.join("backups"));
    assert_eq!((plan.every_hours, plan.keep, plan.warn_days), (24, 14, 7));
}

#[test]
fn a_byte_that_is_no_text_is_named_by_its_line_and_column() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("station.toml");
    std::fs::write(&file, b"[backup]\n# f\xc3\xbcr \xfc\nkeep = 3\n").unwrap();
    let Err(ConfigError::Wrong { problems, .. }) = load(Some(&file), &here()) else {
        panic!("was accepted");
    };
    let said = problems[0].to_string();
    assert!(
        said.starts_with("line 2, column 7: this is not UTF-8"),
        "{said}"
    );
}

#[test]
fn every_known_key_is_read() {
    let config = understand(
        r#"
data_dir = "/srv/punnet"
[deployment]
interface = "eth1"
address = "10.9.0.1/16"
leases = "10.9.1.0-10.9.2.255"
dhcp_port = 1067
tftp_port = 1069
http_port = 15001
force_default_route = true
manage_address = false
[dhcp]
reply_delay_ms = 250
lease_seconds = 600
raw_option_43 = true
answer_uefi = true
accept = ["2c:cf:67:00:11:22"]
[uefi]
arm64_loader = "/l/a.efi"
x86_64_loader = "/l/x.efi"
[agent]
arm64 = "/a/arm.cpio"
x86_64 = "/a/x86.cpio"
[boards]
require_token = false
device_api = "open"
[management]
listen = "192.168.7.5:5500"
tls = false
certificate = "/c/bench.crt"
key = "/c/bench.key"
names = ["Bench.example"]
group = "benches"
idle_minutes = 20
login_hours = 8
[backup]
dir = "/mnt/copies"
every_hours = 6
keep = 30
warn_days = 2
[log]
dir = "/var/log/punnet"
max_size_mb = 2
files = 3
[alerts]
webhook = "https://chat.example/hooks/s3cret"
webhook_secret_file = "/etc/punnet/webhook.secret"
smtp_host = "mail.example"
smtp_port = 2525
smtp_security = "none"
smtp_user = "punnet"
smtp_password_file = "/etc/punnet/smtp.secret"
mail_from = "Punnet <punnet@example.org>"
mail_to = ["tess@example.org"]
gather_seconds = 5
"#,
        &here(),
    )
    .unwrap();
    let d = &config.deployment;
    assert_eq!(d.interface.as_deref(), Some("eth1"));
    assert_eq!((d.dhcp_port, d.tftp_port, d.http_port), (1067, 1069, 15001));
    assert_eq!(d.leases.count(), 512);
    assert!(d.force_default_route && !d.manage_address);
    assert_eq!(config.dhcp.accept.len(), 1);
    assert_eq!(config.dhcp.reply_delay.as_millis(), 250);
    assert_eq!(config.dhcp.lease.as_secs(), 600);
    assert!(config.dhcp.raw_option_43 && config.dhcp.answer_uefi);
    assert_eq!(
        config.uefi.x86_64_loader.as_deref(),
        Some("/l/x.efi".as_ref())
    );
    assert_eq!(config.agent.arm64, Path::new("/a/arm.cpio"));
    assert!(!config.boards.require_token);
    assert_eq!(config.boards.device_api, DeviceApi::Open);
    let m = &config.management;
    assert_eq!(m.listen.to_string(), "192.168.7.5:5500");
    assert!(!m.tls);
    let files = Some(("/c/bench.crt".into(), "/c/bench.key".into()));
    assert_eq!(m.certificate, files);
    assert_eq!(m.names, ["bench.example"]);
    assert_eq!(m.group.as_deref(), Some("benches"));
    assert_eq!(m.sessions.idle.as_secs(), 20 * 60);
    assert_eq!(m.sessions.longest.as_secs(), 8 * 3600);
    let plan = config.backup_plan();
    assert_eq!(plan.dir, Path::new("/mnt/copies"));
    assert_eq!((plan.every_hours, plan.keep, plan.warn_days), (6, 30, 2));
    assert_eq!(
        config.log_dir().as_deref(),
        Some("/var/log/punnet".as_ref())
    );
    assert_eq!((config.log.max_bytes, config.log.files), (2_000_000, 3));
    let webhook = config.alerts.webhook.unwrap();
    assert_eq!(webhook.shown(), "https://chat.example");
    let mail = config.alerts.mail.unwrap();
    assert_eq!((mail.port, mail.security), (2525, Security::None));
    assert_eq!(mail.login.unwrap().0, "punnet");
    assert_eq!(mail.to, ["tess@example.org"]);
    assert_eq!(config.alerts.gather.as_secs(), 5);
}

#[test]
fn what_leaves_this_machine_is_encrypted_unless_said_otherwise() {
    let tls = |text: &str| understand(text, &here()).unwrap().management.tls;
    assert!(!tls(""));
    assert!(tls("[management]\nlisten = \"0.0.0.0:5000\"\n"));
    assert!(tls("[management]\ntls = true\n"));
    let half = problems("[management]\ncertificate = \"/c/bench.crt\"\n");
    assert!(half[0].contains("belong together"), "{half:?}");
    let named = problems("[management]\nnames = [\"bench:5000\"]\n");
    assert!(named[0].contains("name of a machine"), "{named:?}");
}

#[test]
fn the_log_lies_where_systemd_made_room_for_it_or_in_the_data_folder() {
    let systemd = Environment {
        logs_directory: Some("/var/log/punnet".into()),
        ..here()
    };
    let at =
        |text: &str, environment: &Environment| understand(text, environment).unwrap().log_dir();
    assert_eq!(at("", &systemd), Some("/var/log/punnet".into()));
    let own = "/home/tess/.local/share/punnet/logs";
    assert_eq!(at("", &here()), Some(own.into()));
    assert_eq!(at("[log]\nfiles = 0", &systemd), None);
}

#[test]
fn half_an_alert_is_a_problem() {
    let said = problems("[alerts]\nsmtp_host = \"m\"\n");
    assert!(
        said[0].contains("mail_from is needed") && said[1].contains("mail_to is needed"),
        "{said:?}"
    );
    let said = problems(
        "[alerts]\nwebhook = \"chat.example\"\nsmtp_host = \"m\"\nsmtp_security = \"ssl\"\n\
         smtp_user = \"u\"\nmail_from = \"nobody\"\nmail_to = [\"a@b.c\"]\n",
    );
    let wanted = [
        "https://",
        "starttls, tls or none",
        "belong together",
        "no e-mail address",
    ];
    assert_eq!(said.len(), 4, "{said:#?}");
    assert!(
        said.iter().zip(wanted).all(|(s, w)| s.contains(w)),
        "{said:#?}"
    );
    let said = problems("[alerts]\nwebhook_secret_file = \"/x\"\n");
    assert!(said[0].contains("no webhook"), "{said:?}");
}

#[test]
fn an_authority_is_looked_at_when_the_file_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let names = ["mail.example".to_owned()];
    crate::doors::certificate::load_or_make(folder.path(), &names).unwrap();
    let section = |name: &str| {
        let file = path(name);
        format!("[alerts]\ncertificate_authority = \"{}\"\n", file.display())
    };
    let config = understand(&section("management.crt"), &here()).unwrap();
    let authority = config.alerts.authority.unwrap();
    assert_eq!(authority.certificates().unwrap().len(), 1);
    std::fs::write(path("half.pem"), "-----BEGIN CERTIFICATE-----\nMIIB\n").unwrap();
    for (name, wanted) in [
        ("none.pem", "none.pem cannot be read"),
        ("management.key", "management.key holds no certificate"),
        ("half.pem", "half.pem is no file in PEM form"),
    ] {
        let said = problems(&section(name));
        assert!(said[0].starts_with("line 2, column 25"), "{said:?}");
        assert!(said[0].contains(wanted), "{said:?}");
    }
}

#[test]
fn uefi_firmware_is_answered_with_a_loader_or_not_at_all() {
    let said = problems("[dhcp]\nanswer_uefi = true\n");
    assert!(said[0].starts_with("line 2, column 15"), "{said:?}");
    assert!(said[0].contains("under [uefi]"), "{said:?}");
    assert_eq!(said.len(), 1, "{said:?}");
}

#[test]
fn every_problem_is_listed_by_line_with_a_suggestion() {
    let said = problems(
        "dta_dir = \"/x\"\n[deployment]\ninterfaces = \"eth1\"\nhttp_port = \"80\"\ndhcp_port = 70000\n[managment]\n",
    );
    assert_eq!(said.len(), 5, "{said:#?}");
    assert!(said[0].starts_with("line 1, column 1: the file has no key \"dta_dir\""));
    assert!(said[0].ends_with("did you mean data_dir?"), "{}", said[0]);
    assert!(
        said[1].starts_with("line 3, column 1") && said[1].ends_with("did you mean interface?")
    );
    assert!(said[2].starts_with("line 4, column 13: http_port wants a whole number"));
    assert!(said[3].contains("dhcp_port = 70000; it may be 1 to 65535"));
    assert!(said[4].contains("did you mean management?"), "{}", said[4]);
}

#[test]
fn a_slip_of_the_pen_does_not_hide_the_other_problems() {
    let said = problems("[deployment]\naddress = \nleases = \"10.0.0.9-10.0.0.1\"\n");
    assert!(said.iter().any(|p| p.starts_with("line 2")), "{said:#?}");
    assert!(
        said.iter().any(|p| p.contains("runs backwards")),
        "{said:#?}"
    );
}

#[test]
fn leases_must_lie_in_the_network_and_leave_the_station_alone() {
    let with = |leases: &str| {
        problems(&format!(
            "[deployment]\naddress = \"192.168.5.10/24\"\nleases = \"{leases}\"\n"
        ))
    };
    let outside = with("192.168.5.200-192.168.6.10");
    assert!(
        outside[0].starts_with("line 3") && outside[0].contains("192.168.6.10"),
        "{outside:?}"
    );
    let own = with("192.168.5.5-192.168.5.50");
    assert!(
        own[0].contains("station's own address 192.168.5.10"),
        "{own:?}"
    );
    let broadcast = with("192.168.5.200-192.168.5.255");
    assert!(
        broadcast[0].contains("192.168.5.255 is no host address"),
        "{broadcast:?}"
    );
}

#[test]
fn names_and_paths_that_cannot_be_are_refused() {
    for bad in ["eth 1", "a/b", "much-too-long-name", "", ".."] {
        let said = problems(&format!("[deployment]\ninterface = {bad:?}\n"));
        assert!(said[0].contains("name of a network interface"), "{said:?}");
    }
    assert!(problems("data_dir = \"here\"")[0].contains("whole path"));
    assert!(problems("[dhcp]\naccept = [\"no\"]")[0].contains("Ethernet address"));
    assert!(problems("[management]\nlisten = \"5000\"")[0].starts_with("line 2, column 10"));
    assert!(problems("[deployment]\ndhcp_port = 69")[0].contains("cannot share"));
    assert!(problems("deployment = 3")[0].contains("write it as [section]"));
}

#[test]
fn a_named_file_must_exist_and_a_wrong_one_names_itself() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("none.toml");
    let e = load(Some(&missing), &here()).unwrap_err().to_string();
    assert!(e.contains("none.toml"), "{e}");
    let wrong = dir.path().join("wrong.toml");
    std::fs::write(&wrong, "[deploiment]\n").unwrap();
    let environment = Environment {
        punnet_config: Some(wrong),
        ..here()
    };
    let e = load(None, &environment).unwrap_err().to_string();
    assert!(e.contains("wrong.toml") && e.contains("line 1"), "{e}");
    assert!(e.contains("did you mean deployment?"), "{e}");
}

#[test]
fn the_service_and_a_person_keep_their_data_apart() {
    assert_eq!(
        Environment {
            root: true,
            ..here()
        }
        .data_dir(),
        Path::new("/var/lib/punnet")
    );
    let systemd = Environment {
        state_directory: Some("/var/lib/private/punnet".into()),
        ..here()
    };
    assert_eq!(systemd.data_dir(), Path::new("/var/lib/private/punnet"));
    let xdg = Environment {
        data_home: Some("/d".into()),
        root: true,
        ..here()
    };
    assert_eq!(xdg.data_dir(), Path::new("/d/punnet"));
}

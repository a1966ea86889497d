//! Nothing is wiped by surprise, and no name is spent before everything else is settled.

use super::*;

async fn free_names(rig: &Rig) -> usize {
    let Answer::Names(names) = rig
        .engine
        .query(Query::Names(NameFilter::default()))
        .await
        .unwrap()
    else {
        panic!("no names");
    };
    names
        .iter()
        .filter(|n| n.state != wire::batch::NameState::Assigned)
        .count()
}

#[tokio::test]
async fn without_a_started_batch_a_board_waits() {
    let rig = Rig::ready(3).await;
    assert_eq!(rig.held(7).await, Hold::NoMatchingBatch);
    let Receipt::Batch(batch) = rig.command(Command::BatchCreate(plan(1))).await else {
        panic!("no batch");
    };
    assert_eq!(
        rig.held(7).await,
        Hold::NoMatchingBatch,
        "pending is not started"
    );
    rig.command(Command::BatchStart { batch: batch.id }).await;
    rig.command(Command::BatchPause { batch: batch.id }).await;
    assert_eq!(rig.held(7).await, Hold::BatchPaused { batch: batch.id });
    let tile = rig.tile(7).await;
    assert_eq!(tile.stage, Stage::OnHold);
    rig.command(Command::BatchResume { batch: batch.id }).await;
    assert_eq!(rig.job(7).await.hostname, host("KXP2-CORO-001"));
    assert_eq!(rig.tile(7).await.hold, None);
}

#[tokio::test]
async fn the_same_hold_is_written_once() {
    let rig = Rig::ready(1).await;
    for _ in 0..5 {
        rig.held(7).await;
        rig.pass(3000);
    }
    let holds = rig
        .events()
        .await
        .into_iter()
        .filter(|e| e.kind == "board.hold");
    assert_eq!(holds.count(), 1);
}

#[tokio::test]
async fn a_disk_with_a_system_waits_for_approval_and_approval_is_used_once() {
    let rig = Rig::with_batch(2).await;
    let used = |n| rebooted(n, 1, system());
    let order = rig.ask(used(7)).await;
    let Order::Wait { hold, words, .. } = &order else {
        panic!("{order:?}");
    };
    assert!(matches!(hold, Hold::DiskHoldsSystem { disk, .. } if disk == "/dev/mmcblk0"));
    assert!(words.contains("2 partitions"), "{words}");
    assert_eq!(free_names(&rig).await, 2, "no name was spent");
    assert_eq!(rig.tile(7).await.disk.unwrap().path, "/dev/mmcblk0");

    rig.command(Command::BoardApprove {
        board: BoardId::Pi(7),
    })
    .await;
    let Order::Provision(job) = rig.ask(used(7)).await else {
        panic!("still held");
    };
    assert!(job.overwrite);
    rig.report(&job, work()).await;
    // Finished; asking again does not spend the approval a second time.
    let order = rig.ask(used(7)).await;
    assert!(matches!(order, Order::BootFromDisk { .. }), "{order:?}");
}

#[tokio::test]
async fn a_batch_may_overwrite_foreign_systems_but_never_its_own_finished_boards() {
    let rig = Rig::ready(2).await;
    let mut overwriting = plan(2);
    overwriting.reimage = ReimagePolicy::OverwriteForeign;
    rig.batch_of(overwriting).await;
    let Order::Provision(job) = rig.ask(rebooted(7, 1, system())).await else {
        panic!("held");
    };
    rig.report(&job, work()).await;
    let order = rig.ask(rebooted(7, 2, system())).await;
    assert!(matches!(order, Order::BootFromDisk { hostname } if hostname == job.hostname));
    assert_eq!(rig.tile(7).await.stage, Stage::AlreadyDone);
}

#[tokio::test]
async fn a_finished_board_with_an_empty_disk_is_a_question_for_a_person() {
    let rig = Rig::with_batch(2).await;
    let job = rig.finish(7).await;
    let hold = rig.held(7).await;
    assert!(
        matches!(&hold, Hold::ProvisionedBefore { hostname, .. } if *hostname == job.hostname),
        "{hold:?}"
    );
    rig.command(Command::BoardApprove {
        board: BoardId::Pi(7),
    })
    .await;
    let again = rig.job(7).await;
    assert_eq!(
        again.hostname, job.hostname,
        "approved: the same name again"
    );
    assert_eq!(rig.history_of(7).await[0].attempt, 2);
}

#[tokio::test]
async fn an_image_that_does_not_fit_spends_no_name() {
    let rig = Rig::with_batch(2).await;
    let mut small = board(7);
    small.inventory.disks[0].bytes = 2_000_000_000;
    let order = rig.ask(small).await;
    assert!(matches!(
        order,
        Order::Wait {
            hold: Hold::ImageTooBig {
                disk_bytes: 2_000_000_000,
                image_bytes: 4_000_000_000,
                ..
            },
            ..
        }
    ));
    let mut none = board(8);
    none.inventory.disks.clear();
    let order = rig.ask(none).await;
    assert!(matches!(
        order,
        Order::Wait {
            hold: Hold::NoSuitableDisk { .. },
            ..
        }
    ));
    assert_eq!(free_names(&rig).await, 2);
}

#[tokio::test]
async fn an_image_for_another_processor_spends_no_name() {
    let rig = Rig::with_batch(2).await;
    let mut pc = board(7);
    pc.inventory.board = "c0ffee00-0000-4000-8000-000000000001".parse().unwrap();
    pc.inventory.serial = None;
    pc.inventory.revision = None;
    pc.inventory.arch = "x86_64".to_owned();
    let order = rig.ask(pc).await;
    assert!(
        matches!(
            &order,
            Order::Wait {
                hold: Hold::WrongArchitecture { .. },
                ..
            }
        ),
        "{order:?}"
    );
    assert_eq!(free_names(&rig).await, 2);
}

#[tokio::test]
async fn an_image_without_the_boards_device_tree_is_held() {
    let rig = Rig::ready(2).await;
    let mut new = new_image("KXP2", 2);
    new.imported.contents.device_trees = vec!["bcm2711-rpi-4-b.dtb".to_owned()];
    rig.engine.image_imported(new).await.unwrap();
    rig.batch(2).await;
    let hold = rig.held(7).await;
    assert!(
        matches!(&hold, Hold::WrongArchitecture { why } if why.contains("bcm2712")),
        "{hold}"
    );
    let mut pi4 = board(8);
    pi4.inventory.revision = Some(Revision(0xd0_3114));
    assert!(matches!(rig.ask(pi4).await, Order::Provision(_)));
}

/// A station with a batch whose image has this kernel, and a finding of the import on the record.
async fn with_kernel(kernel: &str, arch: &str) -> (Rig, Option<String>) {
    let rig = Rig::ready(2).await;
    let mut new = new_image("KXP2", 2);
    new.imported.contents.kernel = kernel.to_owned();
    new.imported.contents.arch = arch.to_owned();
    rig.engine.image_imported(new).await.unwrap();
    rig.batch(2).await;
    let mut events = rig.events().await.into_iter();
    let told = events.find(|e| e.kind == "image.no_kernel");
    (rig, told.map(|e| e.text))
}

#[tokio::test]
async fn an_image_that_cannot_boot_the_installer_is_told_at_import_and_held() {
    let rows = [
        ("", "", "no kernel for the installer (kernel8.img"),
        ("kernel7l.img", "arm", "needs a 64-bit kernel (kernel8.img"),
    ];
    for (kernel, arch, words) in rows {
        let (rig, told) = with_kernel(kernel, arch).await;
        let told = told.unwrap();
        assert!(
            told.contains("golden.img") && told.contains(words),
            "{told}"
        );
        let mut pi4 = board(8);
        pi4.inventory.revision = Some(Revision(0xd0_3114));
        let order = rig.ask(pi4).await;
        assert!(
            matches!(
                &order,
                Order::Wait { hold: Hold::WrongArchitecture { why }, .. } if why.contains(words)
            ),
            "{order:?}"
        );
        assert_eq!(free_names(&rig).await, 2);
    }
    let (rig, told) = with_kernel("kernel8.img", "arm64").await;
    assert_eq!(told, None);
    rig.job(7).await;
}

#[tokio::test]
async fn an_installer_that_fetches_the_whole_image_needs_no_kernel_of_it() {
    let (rig, _) = with_kernel("", "").await;
    rig.discover(7).await;
    let request = wire::device::ConfigRequest {
        serial_number: Some("00000007".to_owned()),
        mac_address: Some(mac(7).to_string()),
        ..wire::device::ConfigRequest::default()
    };
    let assigned = rig.engine.device_config(address(7), request).await.unwrap();
    assert_eq!(assigned.hostname, host("KXP2-CORO-001"));
}

#[tokio::test]
async fn boot_files_that_are_too_large_are_named_at_import() {
    let rig = Rig::ready(0).await;
    let mut new = new_image("KXP2", 2);
    new.imported.skipped = vec!["recovery.cpio".to_owned()];
    rig.engine.image_imported(new).await.unwrap();
    let events = rig.events().await;
    let told = events.iter().find(|e| e.kind == "image.files_left_out");
    assert!(told.unwrap().text.contains("recovery.cpio"));
}

#[tokio::test]
async fn a_product_without_an_image_spends_no_name() {
    let rig = Rig::empty();
    rig.product("KXP2", "{product}-{venue}-{number:03}").await;
    rig.venue("CORO").await;
    rig.import("1-2").await;
    rig.batch(2).await;
    assert!(matches!(rig.held(7).await, Hold::NoActiveImage { .. }));
    rig.image("KXP2", 1).await.unwrap();
    assert_eq!(rig.job(7).await.hostname, host("KXP2-CORO-001"));
}

#[tokio::test]
async fn an_empty_pool_holds_and_invents_nothing() {
    let rig = Rig::with_batch(2).await;
    rig.finish(1).await;
    let name = host("KXP2-CORO-002");
    // Somebody takes the last name of the pool out of the batch's hands.
    rig.command(Command::NameReplace {
        hostname: name.clone(),
        board: BoardId::Pi(99),
        reason: "promised to board 99".to_owned(),
    })
    .await;
    assert!(matches!(rig.held(2).await, Hold::NoNamesLeft { .. }));
    assert_eq!(rig.tile(2).await.hostname, None);
    rig.import("3").await;
    assert_eq!(rig.job(2).await.hostname, host("KXP2-CORO-003"));
}

#[tokio::test]
async fn the_highest_ranked_batch_that_matches_and_has_room_wins() {
    let rig = Rig::ready(10).await;
    rig.venue("ARIA").await;
    let mut picky = plan(1);
    picky.rules.models = vec!["Compute Module 5".to_owned()];
    let cm5 = rig.batch_of(picky).await;
    let first = rig.batch(1).await;
    let second = rig.batch(5).await;
    rig.job(1).await;
    rig.job(2).await;
    assert_eq!(rig.tile(1).await.batch, Some(first));
    assert_eq!(
        rig.tile(2).await.batch,
        Some(second),
        "the first one is full"
    );
    let mut module = board(3);
    module.inventory.model = "Raspberry Pi Compute Module 5 Rev 1.0".to_owned();
    rig.ask(module).await;
    assert_eq!(rig.tile(3).await.batch, Some(cm5));
    rig.command(Command::BatchCancel { batch: second }).await;
    let Order::Wait { words, .. } = rig.ask(board(4)).await else {
        panic!("no batch is left");
    };
    assert!(words.contains("all its places are taken"), "{words}");
}

#[tokio::test]
async fn a_check_in_without_its_token_gets_nothing() {
    let rig = Rig::with_batch(1).await;
    rig.engine.set_require_token(true);
    let refusal = rig.engine.check_in(address(7), board(7)).await.unwrap_err();
    assert_eq!(refusal.code, Code::Forbidden);
    rig.discover(8).await;
    rig.lease(8).await;
    let super::super::BootAnswer::Install(install) =
        rig.engine.boot_answer(super::super::BootClient {
            ip: address(8),
            board: Some(BoardId::Pi(8)),
        })
    else {
        panic!("board 8 is not booted");
    };
    let mut thief = board(7);
    thief.token = Some(install.token.clone());
    let refusal = rig.engine.check_in(address(7), thief).await.unwrap_err();
    assert_eq!(refusal.code, Code::Forbidden, "the token of another board");
    let mut own = board(8);
    own.token = Some(install.token);
    assert!(matches!(
        rig.engine.check_in(address(8), own).await.unwrap(),
        Order::Provision(_)
    ));
}

#[tokio::test]
async fn a_board_that_an_operator_holds_waits_until_it_may_go_on() {
    let rig = Rig::with_batch(2).await;
    let board = BoardId::Pi(7);
    rig.discover(7).await;
    rig.command(Command::BoardHold { board }).await;
    let rig = rig.reopen().await;
    assert_eq!(rig.held(7).await, Hold::ByOperator);
    assert_eq!(rig.tile(7).await.stage, Stage::OnHold);
    assert_eq!(free_names(&rig).await, 2, "no name was spent");
    rig.command(Command::BoardApprove { board }).await;
    let order = rig.ask(rebooted(7, 1, system())).await;
    assert!(
        matches!(
            &order,
            Order::Wait {
                hold: Hold::DiskHoldsSystem { .. },
                ..
            }
        ),
        "going on is no leave to overwrite: {order:?}"
    );
    let job = rig.job(7).await;
    let refused = rig.refused(Command::BoardHold { board }).await;
    assert!(refused.message.contains("being provisioned"), "{refused}");
    rig.report(&job, work()).await;
    let refused = rig.refused(Command::BoardHold { board }).await;
    assert!(refused.message.contains("is finished"), "{refused}");
}

#[tokio::test]
async fn a_hold_that_takes_back_a_retry_says_that_approval_is_needed() {
    let rig = Rig::with_batch(2).await;
    let board = BoardId::Pi(7);
    rig.fail(7).await;
    rig.command(Command::BoardRetry { board }).await;
    rig.command(Command::BatchPause { batch: BatchId(1) }).await;
    assert_eq!(rig.held(7).await, Hold::BatchPaused { batch: BatchId(1) });
    rig.command(Command::BoardHold { board }).await;
    assert_ne!(
        rig.tile(7).await.hold,
        Some(Hold::ByOperator),
        "letting it go on would be leave to overwrite"
    );
    assert_eq!(rig.held(7).await, Hold::NeedsApproval);
}

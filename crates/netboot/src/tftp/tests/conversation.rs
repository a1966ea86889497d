//! The conversation alone, datagram by datagram, on a clock that the test moves.

use std::time::{Duration, Instant};

use crate::tftp::conversation::{Again, Conversation, Ending, Say};
use crate::tftp::packet;
use crate::tftp::terms::Terms;

const SECOND: Duration = Duration::from_secs(1);
const TRIP: Duration = Duration::from_micros(300);

struct Talk {
    conversation: Conversation,
    now: Instant,
}

impl Talk {
    /// A file of `last` blocks, all of them ready.
    fn about(last: u64, window: u16, options: bool) -> Self {
        let terms = Terms {
            block: 512,
            window,
            soonest: Duration::from_millis(50),
            timeout: SECOND,
            longest: SECOND * 6,
            patience: SECOND * 30,
            offer: if options { vec![0, 6] } else { Vec::new() },
        };
        let now = Instant::now();
        let mut conversation = Conversation::new(&terms, now);
        conversation.supplied(last, Some(last));
        Self { conversation, now }
    }

    fn said(&mut self) -> Vec<Say> {
        std::iter::from_fn(|| self.conversation.poll(self.now)).collect()
    }

    fn ack(&mut self, block: u16) {
        self.now += TRIP;
        self.conversation.handle(&packet::ack(block), self.now);
    }

    fn error(&mut self, code: u16, message: &str) {
        self.conversation
            .handle(&packet::error(code, message), self.now);
    }

    /// Moves the clock to the next deadline; returns how long that took.
    fn wait(&mut self) -> Duration {
        let deadline = self.conversation.next_deadline().expect("a deadline");
        let waited = deadline - self.now;
        self.now = deadline;
        self.conversation.handle_timeout(deadline);
        waited
    }

    fn ending(&self) -> Option<&Ending> {
        self.conversation.ending()
    }
}

fn blocks(numbers: impl IntoIterator<Item = u64>) -> Vec<Say> {
    numbers.into_iter().map(Say::Block).collect()
}

#[test]
fn lock_step_from_the_offer_to_the_end() {
    let mut talk = Talk::about(2, 1, true);
    assert_eq!(talk.said(), [Say::Offer]);
    talk.ack(0);
    assert_eq!(talk.said(), blocks([1]));
    talk.ack(1);
    assert_eq!(talk.said(), blocks([2]));
    talk.ack(2);
    assert_eq!(talk.ending(), Some(&Ending::Done));
    assert_eq!(talk.said(), []);
    assert_eq!(talk.conversation.next_deadline(), None);
}

#[test]
fn a_repeated_acknowledgement_is_not_answered() {
    let mut talk = Talk::about(10, 1, true);
    talk.said();
    talk.ack(0);
    talk.ack(0);
    assert_eq!(talk.said(), blocks([1]));
    talk.ack(0);
    assert_eq!(talk.said(), []);
    talk.ack(1);
    assert_eq!(talk.said(), blocks([2]));
    talk.ack(1);
    talk.ack(0);
    talk.ack(7);
    assert_eq!(talk.said(), []);
    assert_eq!(talk.conversation.resent(), 0);
}

#[test]
fn numbers_go_on_at_zero() {
    let mut talk = Talk::about(70_000, 1, false);
    for number in 1..=70_000_u64 {
        assert_eq!(talk.said(), blocks([number]));
        talk.ack(number as u16);
    }
    assert_eq!(talk.ending(), Some(&Ending::Done));
}

#[test]
fn an_old_acknowledgement_after_the_turn_of_the_numbers_is_not_taken_for_a_new_one() {
    let mut talk = Talk::about(70_000, 16, false);
    let mut number = 0_u64;
    while number < 65_552 {
        talk.said();
        number += 16;
        talk.ack(number as u16);
    }
    assert_eq!(talk.conversation.delivered(), 65_552);
    talk.said();
    talk.ack(65_535);
    talk.ack(5);
    assert_eq!(talk.conversation.delivered(), 65_552);
}

#[test]
fn without_a_measurement_the_full_timeout_is_waited_for_and_doubles() {
    let mut talk = Talk::about(2, 1, true);
    talk.said();
    for seconds in [1, 2, 4, 6, 6, 6] {
        assert_eq!(talk.wait(), SECOND * seconds);
        assert_eq!(talk.said(), [Say::Offer]);
    }
    talk.wait();
    assert_eq!(talk.ending(), Some(&Ending::Silent));
    assert_eq!(talk.said(), []);
}

#[test]
fn a_lost_block_costs_a_fraction_of_the_timeout() {
    let mut talk = Talk::about(100, 1, true);
    talk.said();
    talk.ack(0);
    for number in 1..50 {
        assert_eq!(talk.said(), blocks([u64::from(number)]));
        talk.ack(number);
    }
    assert_eq!(talk.said(), blocks([50]));
    assert_eq!(talk.wait(), Duration::from_millis(50));
    assert_eq!(talk.said(), blocks([50]));
    assert_eq!(talk.wait(), Duration::from_millis(100));
    assert_eq!(talk.said(), blocks([50]));
    talk.ack(50);
    // The next one that gets through at once brings the short wait back.
    assert_eq!(talk.said(), blocks([51]));
    talk.ack(51);
    assert_eq!(talk.said(), blocks([52]));
    assert_eq!(talk.wait(), Duration::from_millis(50));
    assert_eq!(talk.conversation.resent(), 2);
}

#[test]
fn a_board_that_becomes_slow_is_not_sent_every_block_twice() {
    let mut talk = Talk::about(1000, 1, true);
    talk.said();
    talk.ack(0);
    for number in 1..1000 {
        assert_eq!(talk.said(), blocks([u64::from(number)]));
        let mut left = if number < 10 {
            TRIP
        } else {
            Duration::from_millis(120)
        };
        while talk.conversation.next_deadline().unwrap() < talk.now + left {
            left -= talk.wait();
            talk.said();
        }
        talk.now += left;
        talk.ack(number);
    }
    assert!(
        talk.conversation.resent() < 10,
        "{}",
        talk.conversation.resent()
    );
}

#[test]
fn a_board_that_turns_silent_is_kept_for_the_whole_patience() {
    let mut talk = Talk::about(100, 1, true);
    talk.said();
    talk.ack(0);
    talk.said();
    talk.ack(1);
    talk.said();
    let silent_from = talk.now;
    let mut longest = Duration::ZERO;
    while talk.ending().is_none() {
        longest = longest.max(talk.wait());
        talk.said();
    }
    // atftp gives an answer that was lost again only after a silence of 5 s.
    assert!(longest > SECOND * 5, "{longest:?}");
    assert_eq!(talk.now - silent_from, SECOND * 30);
    assert_eq!(talk.ending(), Some(&Ending::Silent));
}

#[test]
fn time_without_a_ready_block_is_not_the_boards_silence() {
    let mut talk = Talk::about(100, 1, true);
    talk.conversation.supplied(1, None);
    talk.said();
    talk.ack(0);
    talk.said();
    talk.ack(1);
    assert_eq!(talk.said(), []);
    assert_eq!(talk.conversation.next_deadline(), None);
    talk.now += SECOND * 100;
    talk.conversation.supplied(2, None);
    assert_eq!(talk.said(), blocks([2]));
    assert!(talk.conversation.next_deadline().unwrap() > talk.now);
}

#[test]
fn a_window_is_said_as_a_whole_and_a_gap_is_mended_once() {
    let mut talk = Talk::about(100, 4, true);
    talk.said();
    talk.ack(0);
    assert_eq!(talk.said(), blocks(1..=4));
    talk.ack(4);
    assert_eq!(talk.said(), blocks(5..=8));
    // Block 5 is missing. Clients report it once per block that arrives out of order.
    talk.ack(4);
    assert_eq!(talk.said(), blocks(5..=8));
    talk.ack(4);
    talk.ack(4);
    assert_eq!(talk.said(), []);
    talk.ack(8);
    assert_eq!(talk.said(), blocks(9..=12));
    // An echo of the repair must not start the next one.
    talk.ack(8);
    assert_eq!(talk.said(), []);
    // A gap in the middle.
    talk.ack(10);
    assert_eq!(talk.said(), blocks(11..=14));
}

#[test]
fn a_window_goes_on_when_more_blocks_become_ready() {
    let mut talk = Talk::about(100, 4, false);
    talk.conversation.supplied(2, None);
    assert_eq!(talk.said(), blocks(1..=2));
    talk.conversation.supplied(50, None);
    assert_eq!(talk.said(), blocks(3..=4));
}

#[test]
fn looking_and_leaving_is_no_failure() {
    for (code, message) in [
        (0, "Early terminate"),
        (0, ""),
        (8, "User aborted the transfer"),
    ] {
        for options in [true, false] {
            let mut talk = Talk::about(100, 1, options);
            talk.said();
            talk.error(code, message);
            assert_eq!(talk.ending(), Some(&Ending::Declined), "{code} {message}");
        }
    }
}

#[test]
fn leaving_in_the_middle_is_a_failure_unless_it_is_called_early() {
    let ended = |code, message: &str| {
        let mut talk = Talk::about(100, 1, false);
        talk.said();
        talk.ack(1);
        talk.error(code, message);
        talk.ending().cloned()
    };
    assert_eq!(ended(0, "Early terminate"), Some(Ending::Declined));
    let refused = |code, message: &str| {
        Some(Ending::Refused {
            code,
            message: message.into(),
        })
    };
    assert_eq!(ended(0, "out of memory"), refused(0, "out of memory"));
    assert_eq!(ended(3, "Disk full"), refused(3, "Disk full"));
}

#[test]
fn a_request_again_is_an_echo_at_first_and_a_new_start_later() {
    let mut talk = Talk::about(100, 1, true);
    talk.said();
    assert_eq!(talk.conversation.again(true, talk.now), Again::Continues);
    assert_eq!(talk.said(), [Say::Offer]);
    talk.ack(0);
    assert_eq!(talk.conversation.again(true, talk.now), Again::Continues);
    assert_eq!(talk.said(), blocks([1]));
    assert_eq!(talk.conversation.again(false, talk.now), Again::Superseded);
    talk.now += SECOND * 2;
    assert_eq!(talk.conversation.again(true, talk.now), Again::Superseded);
}

//! A second thread that only reads, so that a long question never delays a board. It sees every
//! transaction that was committed before the question.

use crate::store::Connection;
use std::panic::AssertUnwindSafe;
use std::sync::mpsc;
use tokio::sync::oneshot;
use wire::refusal::{Code, Refusal};

type Question = Box<dyn FnOnce(&Connection) + Send>;

/// The reader's queue.
pub(super) struct Reader(mpsc::Sender<Question>);

impl Reader {
    /// Starts the thread; it ends with the last handle.
    pub(super) fn start(conn: Connection) -> std::io::Result<Self> {
        let (queue, questions) = mpsc::channel::<Question>();
        std::thread::Builder::new()
            .name("reader".to_owned())
            .spawn(move || {
                for question in questions {
                    let done = std::panic::catch_unwind(AssertUnwindSafe(|| question(&conn)));
                    if done.is_err() {
                        tracing::error!("a question broke off");
                    }
                }
            })?;
        Ok(Self(queue))
    }

    pub(super) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let (reply, answer) = oneshot::channel();
        let question = Box::new(move |conn: &Connection| {
            // Whoever asked may have gone.
            let _ = reply.send(read(conn));
        });
        let broken = || Refusal::new(Code::Unavailable, "The station cannot be asked now.");
        self.0.send(question).map_err(|_| broken())?;
        answer.await.unwrap_or_else(|_| Err(broken()))
    }
}

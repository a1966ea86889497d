//! Boards and strangers against the server, over real sockets and on a test clock.
//!
//! Nothing here waits for time to pass: where an answer has to come at once, the server's timeout
//! is a minute and the client's patience ten seconds.

mod conversation;
mod external;
mod files;
mod hazards;
mod hostile;
mod limits;
mod loss;
mod options;
mod station;

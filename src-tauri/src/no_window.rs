//! What `punnet` says when it is started without a verb and has no window in it.

use crate::print::out;
use crate::trouble::Trouble;

/// Lists the ways to use this build.
pub(crate) fn explain() -> Result<(), Trouble> {
    Ok(out("\
The window is not part of this build of Punnet. It can be used like this:

  punnet --daemon             run the station (DHCP, TFTP and HTTP for boards)
  punnet rehearse             run a whole batch with virtual boards, without any rights
  punnet check                look whether this machine and its network are fit
  punnet image add FILE …     import a golden image
  punnet batch create …       plan a batch of boards
  punnet boards --watch       follow the boards
  punnet --help               everything else
")?)
}

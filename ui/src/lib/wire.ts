// Written from crates/wire by its test `types`. Do not edit.

/**
 * A piece of advice, drawn from what was observed.
 */
export type Advice = { 
/**
 * Which rule spoke, e.g. `rival_answered`; stable, for help pages and tests.
 */
rule: string, 
/**
 * How bad it is.
 */
level: Level, 
/**
 * What was observed, one sentence.
 */
observed: string, 
/**
 * What to do, one sentence.
 */
next: string, };

/**
 * The answer to a query; the arm matches the question.
 */
export type Answer = { "answer": "boards", "value": Array<Board> } | { "answer": "board", "value": Board } | { "answer": "products", "value": Array<Product> } | { "answer": "venues", "value": Array<Venue> } | { "answer": "names", "value": Array<Name> } | { "answer": "batches", "value": Array<Batch> } | { "answer": "batch", "value": Batch } | { "answer": "images", "value": Array<Image> } | { "answer": "history", "value": Array<Deployment> } | { "answer": "events", "value": Array<Event> } | { "answer": "leases", "value": Array<Lease> } | { "answer": "ready", "value": Ready } | { "answer": "stats", "value": Stats } | { "answer": "certificate", "value": Certificate } | { "answer": "sheet", "value": Sheet } | { "answer": "history_count", "value": number } | { "answer": "nics", "value": Array<Nic> } | { "answer": "settings", "value": Settings } | { "answer": "works", "value": Works } | { "answer": "self_test", "value": SelfTest } | { "answer": "try", "value": Tried } | { "answer": "document", "value": Document } | { "answer": "operators", "value": Array<Operator> } | { "answer": "deeds", "value": Array<Deed> } | { "answer": "backups", "value": Backups } | { "answer": "profiles", "value": Array<Profile> } | { "answer": "configuration", "value": Configuration };

/**
 * One copy.
 */
export type Backup = { 
/**
 * Name of its file.
 */
file: string, 
/**
 * When it was made.
 */
at: Millis, 
/**
 * Its size in bytes.
 */
bytes: number, };

/**
 * A backup that is being made.
 */
export type BackupRun = { 
/**
 * Since when.
 */
since: Millis, 
/**
 * Bytes copied.
 */
done: number, 
/**
 * Bytes in all; 0 while that is not known.
 */
total: number, };

/**
 * How it is with backups at this moment.
 */
export type BackupState = { 
/**
 * When the last good one was made.
 */
last: Millis | null, 
/**
 * The one that is being made.
 */
running: BackupRun | null, 
/**
 * Why the newest attempt failed.
 */
trouble: string | null, };

/**
 * The copies in the station's folder of backups, and how often one is made.
 */
export type Backups = { 
/**
 * The folder.
 */
folder: string, 
/**
 * Hours between two; 0 when none is made by itself.
 */
every_hours: number, 
/**
 * So many are kept, the newest.
 */
keep: number, 
/**
 * The station warns when the last good one is older than this many days; 0 when it never does.
 */
warn_days: number, 
/**
 * When the next one is made, by itself.
 */
next: Millis | null, 
/**
 * The copies, newest first.
 */
list: Array<Backup>, };

/**
 * One batch.
 */
export type Batch = { 
/**
 * Its number.
 */
id: BatchId, 
/**
 * What was planned.
 */
plan: BatchPlan, 
/**
 * Its state.
 */
state: BatchState, 
/**
 * Place in the order; 1 is asked first. 0 once the batch has ended.
 */
rank: number, 
/**
 * How it stands.
 */
counters: Counters, 
/**
 * When it was created.
 */
created: Millis, 
/**
 * When it was first started.
 */
started: Millis | null, 
/**
 * When it ended.
 */
ended: Millis | null, 
/**
 * True for the batch of a rehearsal.
 */
rehearsal: boolean, };

/**
 * Number of a batch, as shown to people.
 */
export type BatchId = number;

/**
 * What a batch is planned to be.
 */
export type BatchPlan = { 
/**
 * The product.
 */
product: ProductCode, 
/**
 * The venue.
 */
venue: VenueCode, 
/**
 * Number of boards, 1 to 1000.
 */
count: number, 
/**
 * The image, pinned; `None` takes the product's active image at each claim.
 */
image: ImageId | null, 
/**
 * Which boards it takes.
 */
rules: BatchRules, 
/**
 * Which disks it writes.
 */
disks: DiskPolicy, 
/**
 * What to do with used boards.
 */
reimage: ReimagePolicy, };

/**
 * Which boards a batch takes. Empty lists take all.
 */
export type BatchRules = { 
/**
 * Words that the model must contain, any of them ("Raspberry Pi 5", "Compute Module 5").
 */
models: Array<string>, 
/**
 * Least memory in MiB.
 */
min_ram_mib: number | null, 
/**
 * Kinds of disk the board must boot from.
 */
disks: Array<DiskKind>, 
/**
 * The only boards taken.
 */
boards: Array<BoardId>, };

/**
 * The state of a batch.
 */
export type BatchState = "pending" | "active" | "paused" | "completed" | "cancelled" | "unknown";

/**
 * One board as a tile shows it: the newest of everything known.
 */
export type Board = { 
/**
 * Its key.
 */
id: BoardId, 
/**
 * The whole serial number, once the agent or the installed system has said it.
 */
serial: Serial | null, 
/**
 * The address its network boot used.
 */
mac: Mac, 
/**
 * Its present IPv4 address.
 */
ip: string | null, 
/**
 * Its revision code, when it is a Raspberry Pi.
 */
revision: Revision | null, 
/**
 * The model in words.
 */
model: string, 
/**
 * Memory in MiB.
 */
ram_mib: number | null, 
/**
 * Where it is.
 */
stage: Stage, 
/**
 * Since when it is there.
 */
stage_since: Millis, 
/**
 * When anything was last heard of it.
 */
last_seen: Millis, 
/**
 * The name it owns.
 */
hostname: Hostname | null, 
/**
 * The batch its deployment belongs to.
 */
batch: BatchId | null, 
/**
 * Its present or last deployment.
 */
deployment: string | null, 
/**
 * Which attempt that is, from 1.
 */
attempt: number, 
/**
 * Progress of the present step.
 */
progress: Progress | null, 
/**
 * Why it waits.
 */
hold: Hold | null, 
/**
 * What went wrong.
 */
failure: Failure | null, 
/**
 * Set while it has been quiet for too long.
 */
stalled: Stall | null, 
/**
 * The disk its job uses, or would use.
 */
disk: Disk | null, 
/**
 * A line of detail for the present stage: the file being fetched, the step of the agent.
 */
detail: string | null, 
/**
 * Where it lies, as the operator noted it: a slot, a switch port.
 */
place: string | null, 
/**
 * True for a virtual board of a rehearsal.
 */
rehearsal: boolean, };

/**
 * The identity by which the station keys a board.
 *
 * A Raspberry Pi is known by the low 32 bits of its serial number, which is all its bootloader
 * says (option 97, TFTP folder); other UEFI machines and QEMU by their machine UUID. As text: 8
 * hex digits, or a hyphenated UUID. Parsing also takes a full 16-digit serial.
 */
export type BoardId = string;

/**
 * What proves a batch.
 */
export type Certificate = { 
/**
 * The batch.
 */
batch: Batch, 
/**
 * Its images: every one that a board of it got.
 */
images: Array<Image>, 
/**
 * One row per finished board: its newest finished deployment.
 */
boards: Array<Deployment>, 
/**
 * When it was drawn up.
 */
at: Millis, };

/**
 * A value that is not what it was.
 */
export type Change = { 
/**
 * Its section and key.
 */
key: string, 
/**
 * What it was.
 */
from: string, 
/**
 * What it is, or is to be.
 */
to: string, 
/**
 * Why it is not in effect yet, and what brings it into effect.
 */
waits: string | null, };

/**
 * The kind of a [`Refusal`]; decides the HTTP status and the exit code.
 */
export type Code = "invalid" | "not_found" | "conflict" | "login_needed" | "forbidden" | "too_many" | "on_hold" | "unavailable" | "internal" | "unknown";

/**
 * Something the operator wants changed.
 */
export type Command = { "command": "product_add", 
/**
 * Its code.
 */
code: ProductCode, 
/**
 * Its name.
 */
name: string, 
/**
 * Its hostname pattern.
 */
pattern: string, } | { "command": "product_edit", 
/**
 * Which.
 */
code: ProductCode, 
/**
 * New name.
 */
name: string | null, 
/**
 * New pattern; refused while a batch of it runs.
 */
pattern: string | null, } | { "command": "product_archive", 
/**
 * Which.
 */
code: ProductCode, 
/**
 * True to archive.
 */
archived: boolean, } | { "command": "venue_add", 
/**
 * Its code.
 */
code: VenueCode, 
/**
 * Its name.
 */
name: string, 
/**
 * Where it is.
 */
location: string, 
/**
 * Contact e-mail address.
 */
contact: string, } | { "command": "venue_edit", 
/**
 * Which.
 */
code: VenueCode, 
/**
 * New name.
 */
name: string | null, 
/**
 * New location.
 */
location: string | null, 
/**
 * New contact.
 */
contact: string | null, } | { "command": "venue_archive", 
/**
 * Which.
 */
code: VenueCode, 
/**
 * True to archive.
 */
archived: boolean, } | { "command": "names_import", 
/**
 * The product they belong to.
 */
product: ProductCode, 
/**
 * The venue they belong to.
 */
venue: VenueCode, 
/**
 * Where they come from.
 */
source: NameSource, 
/**
 * Only preview.
 */
dry_run: boolean, } | { "command": "name_release", 
/**
 * Which.
 */
hostname: Hostname, 
/**
 * Why, for the record.
 */
reason: string, } | { "command": "name_retire", 
/**
 * Which.
 */
hostname: Hostname, 
/**
 * Why, for the record.
 */
reason: string, } | { "command": "name_reinstate", 
/**
 * Which.
 */
hostname: Hostname, 
/**
 * Why, for the record.
 */
reason: string, } | { "command": "name_replace", 
/**
 * Which.
 */
hostname: Hostname, 
/**
 * The board that gets it; it is provisioned when it next asks.
 */
board: BoardId, 
/**
 * Why, for the record.
 */
reason: string, } | { "command": "name_delete", 
/**
 * Which.
 */
hostname: Hostname, } | { "command": "image_add", 
/**
 * Absolute path of the file.
 */
path: string, 
/**
 * The product it is for.
 */
product: ProductCode, 
/**
 * Its version.
 */
version: string, 
/**
 * Free text.
 */
description: string, 
/**
 * Make it the product's image once it is imported.
 */
activate: boolean, } | { "command": "import_cancel", 
/**
 * Which import.
 */
import: string, } | { "command": "image_activate", 
/**
 * Which.
 */
image: ImageId, } | { "command": "image_remove", 
/**
 * Which.
 */
image: ImageId, } | { "command": "batch_create" } & BatchPlan | { "command": "batch_start", 
/**
 * Which.
 */
batch: BatchId, } | { "command": "batch_pause", 
/**
 * Which.
 */
batch: BatchId, } | { "command": "batch_resume", 
/**
 * Which.
 */
batch: BatchId, } | { "command": "batch_cancel", 
/**
 * Which.
 */
batch: BatchId, } | { "command": "batch_extend", 
/**
 * Which.
 */
batch: BatchId, 
/**
 * How many more.
 */
by: number, } | { "command": "batch_retry", 
/**
 * Which.
 */
batch: BatchId, } | { "command": "batch_reorder", 
/**
 * Which.
 */
batch: BatchId, 
/**
 * The place.
 */
rank: number, } | { "command": "board_approve", 
/**
 * Which.
 */
board: BoardId, } | { "command": "board_hold", 
/**
 * Which.
 */
board: BoardId, } | { "command": "board_accept", 
/**
 * Its Ethernet address.
 */
mac: Mac, } | { "command": "board_retry", 
/**
 * Which.
 */
board: BoardId, } | { "command": "board_identify", 
/**
 * Which.
 */
board: BoardId, 
/**
 * For how long, in seconds.
 */
seconds: number, } | { "command": "board_release", 
/**
 * Which.
 */
board: BoardId, 
/**
 * Why, for the record.
 */
reason: string, } | { "command": "server_start", 
/**
 * Which.
 */
server: ServerKind, } | { "command": "server_stop", 
/**
 * Which.
 */
server: ServerKind, } | { "command": "board_place", 
/**
 * Which.
 */
board: BoardId, 
/**
 * At most 32 characters.
 */
place: string, } | { "command": "deployment_set" } & DeploymentChoice | { "command": "preferences_set" } & Preferences | { "command": "rehearsal_start" } & RehearsalPlan | { "command": "rehearsal_stop" } | { "command": "operator_add", 
/**
 * Who.
 */
name: OperatorName, 
/**
 * What the operator may do.
 */
role: Role, 
/**
 * The first password.
 */
password: Password, } | { "command": "operator_password", 
/**
 * Who.
 */
name: OperatorName, 
/**
 * The new password.
 */
password: Password, } | { "command": "operator_role", 
/**
 * Who.
 */
name: OperatorName, 
/**
 * What the operator may do from now on.
 */
role: Role, } | { "command": "operator_disable", 
/**
 * Who.
 */
name: OperatorName, 
/**
 * True for no more.
 */
disabled: boolean, } | { "command": "operator_remove", 
/**
 * Who.
 */
name: OperatorName, } | { "command": "backup_now" } | { "command": "profile_save", 
/**
 * Its name.
 */
name: string, 
/**
 * With this product.
 */
product: ProductCode | null, 
/**
 * With this venue.
 */
venue: VenueCode | null, } | { "command": "profile_import", 
/**
 * The text.
 */
text: string, 
/**
 * Put it in the place of one with the same name.
 */
replace: boolean, } | { "command": "profile_apply", 
/**
 * Which.
 */
name: string, } | { "command": "profile_remove", 
/**
 * Which.
 */
name: string, } | { "command": "config_reload" } | { "command": "unknown" };

/**
 * The configuration that is in effect.
 */
export type Configuration = { 
/**
 * The file, when there is one.
 */
file: string | null, 
/**
 * Every value, in the order of the sections.
 */
values: Array<Value>, };

/**
 * How a batch stands. `planned` = `done` + `running` + `failed` + what is still to come.
 */
export type Counters = { 
/**
 * Boards planned.
 */
planned: number, 
/**
 * Boards being worked on.
 */
running: number, 
/**
 * Boards done (confirmed ones included).
 */
done: number, 
/**
 * Boards whose last attempt failed.
 */
failed: number, 
/**
 * Boards whose installed system called home.
 */
confirmed: number, };

/**
 * Speeds over the disk, from its start to its end.
 */
export type Curve = { 
/**
 * While writing.
 */
write: Array<Speed>, 
/**
 * While reading back.
 */
read: Array<Speed>, };

/**
 * One row of the record: who did what. Rows are never changed and never deleted.
 */
export type Deed = { 
/**
 * Counts up.
 */
id: number, 
/**
 * When.
 */
at: Millis, 
/**
 * Who: an operator, or a user of the station's machine.
 */
who: string, 
/**
 * How that was known.
 */
door: Door, 
/**
 * From where: an address, or words.
 */
origin: string, 
/**
 * What: a command, `login`, `logout`, `upload`.
 */
action: string, 
/**
 * To what.
 */
subject: string, 
/**
 * What came of it.
 */
outcome: DeedOutcome, 
/**
 * Why it was refused.
 */
why: string | null, };

/**
 * Which rows of the record. Absent fields match all.
 */
export type DeedFilter = { 
/**
 * Of this person.
 */
who: string | null, 
/**
 * With this outcome.
 */
outcome: DeedOutcome | null, 
/**
 * Containing this text (person, origin, action, subject, reason).
 */
text: string | null, 
/**
 * Older than the row of this number, for the next page.
 */
before: number | null, 
/**
 * At most this many; 0 means 1000.
 */
limit: number, };

/**
 * What came of an action.
 */
export type DeedOutcome = "done" | "refused" | "unknown";

/**
 * One deployment of the history.
 */
export type Deployment = { 
/**
 * Its id.
 */
id: string, 
/**
 * The board.
 */
board: BoardId, 
/**
 * The address it was deployed with.
 */
mac: Mac, 
/**
 * The name.
 */
hostname: Hostname, 
/**
 * The batch.
 */
batch: BatchId, 
/**
 * The product.
 */
product: ProductCode, 
/**
 * The venue.
 */
venue: VenueCode, 
/**
 * The image.
 */
image: ImageId, 
/**
 * Which attempt of this board in this batch, from 1.
 */
attempt: number, 
/**
 * Where it is or ended.
 */
stage: Stage, 
/**
 * How it was proven.
 */
verified: VerifyLevel | null, 
/**
 * Bytes written.
 */
bytes_written: number, 
/**
 * Bytes read back.
 */
bytes_read_back: number, 
/**
 * Bytes received for the image.
 */
bytes_received: number, 
/**
 * How the chunks came.
 */
transport: string | null, 
/**
 * What went wrong.
 */
error: string | null, 
/**
 * When it began.
 */
started: Millis, 
/**
 * When it was done, failed or was cancelled.
 */
ended: Millis | null, 
/**
 * When the installed system called home.
 */
confirmed: Millis | null, };

/**
 * The deployment side as the operator chose it. Text as in `station.toml`.
 */
export type DeploymentChoice = { 
/**
 * Name of the NIC; `None` serves nobody.
 */
interface: string | null, 
/**
 * The station's address on it, e.g. `192.168.151.1/24`.
 */
address: string, 
/**
 * Addresses handed out, e.g. `192.168.151.100-192.168.151.250`.
 */
leases: string, 
/**
 * Serve on the NIC with the default route all the same.
 */
force_default_route: boolean, };

/**
 * One disk of a board.
 */
export type Disk = { 
/**
 * Device path on the board, e.g. `/dev/mmcblk0`.
 */
path: string, 
/**
 * Its kind.
 */
kind: DiskKind, 
/**
 * Size in bytes.
 */
bytes: number, 
/**
 * Logical sector size in bytes.
 */
sector: number, 
/**
 * Model or card name.
 */
model: string, 
/**
 * Serial number of the disk, empty when it has none.
 */
serial: string, 
/**
 * True for media in a reader or stick that a person plugged in to work with.
 */
removable: boolean, 
/**
 * True when the medium refuses writes.
 */
read_only: boolean, 
/**
 * What lies on it.
 */
content: DiskContent, };

/**
 * What lies on a disk before it is written.
 */
export type DiskContent = { "kind": "blank" } | { "kind": "unfinished", 
/**
 * The deployment that was interrupted.
 */
deployment: string, } | { "kind": "system", 
/**
 * What, in words: "a partition table with 2 partitions (FAT, Linux)".
 */
found: string, } | { "kind": "unreadable", 
/**
 * Why.
 */
why: string, } | { "kind": "unknown" };

/**
 * The kind of a disk.
 */
export type DiskKind = "sd" | "emmc" | "nvme" | "usb" | "virtual" | "unknown";

/**
 * Which disks a job may use, best first. eMMC boot areas are no disks and never listed.
 */
export type DiskPolicy = { 
/**
 * Kinds allowed, in order of preference.
 */
kinds: Array<DiskKind>, };

/**
 * Room on a disk, in bytes.
 */
export type DiskRoom = { 
/**
 * In all.
 */
total: number, 
/**
 * Free for the station.
 */
free: number, 
/**
 * Taken by packs.
 */
packs: number, 
/**
 * Taken by the database.
 */
database: number, };

/**
 * A document, drawn up.
 */
export type Document = { 
/**
 * A name for the file, without a folder.
 */
file_name: string, 
/**
 * Its media type, e.g. `application/pdf`.
 */
media_type: string, 
/**
 * Its bytes, in Base64.
 */
base64: string, };

/**
 * A document to be drawn up.
 */
export type DocumentKind = { "document": "history_csv" } & HistoryFilter | { "document": "history_json" } & HistoryFilter | { "document": "names_csv" } & NameFilter | { "document": "certificate_pdf", 
/**
 * Which batch.
 */
batch: BatchId, } | { "document": "certificate_html", 
/**
 * Which batch.
 */
batch: BatchId, } | { "document": "certificate_csv", 
/**
 * Which batch.
 */
batch: BatchId, } | { "document": "labels", 
/**
 * Of this batch.
 */
batch: BatchId | null, 
/**
 * Or of these boards.
 */
boards: Array<BoardId>, 
/**
 * On which paper.
 */
sheet: LabelSheet, } | { "document": "board_log", 
/**
 * Which board.
 */
board: BoardId, } | { "document": "profile", 
/**
 * Which.
 */
name: string, } | { "document": "board_bundle", 
/**
 * Which board.
 */
board: BoardId, } | { "document": "packets" } | { "document": "unknown" };

/**
 * How whoever asks is known to the station.
 */
export type Door = "here" | "socket" | "login" | "token" | "nobody" | "unknown";

/**
 * An archive that waits for whoever asked for it.
 */
export type Download = { 
/**
 * What it is fetched by, once and within a minute.
 */
key: string, 
/**
 * A name for its file.
 */
file_name: string, };

/**
 * One event.
 */
export type Event = { 
/**
 * Its number; grows by one.
 */
id: number, 
/**
 * When it happened.
 */
at: Millis, 
/**
 * How much attention it wants.
 */
level: Level, 
/**
 * Which board it is about.
 */
board: BoardId | null, 
/**
 * Which deployment it is about.
 */
deployment: string | null, 
/**
 * Which batch it is about.
 */
batch: BatchId | null, 
/**
 * What kind of event, e.g. `stage`, `name.claimed`, `dhcp.pool_full`.
 */
kind: string, 
/**
 * One sentence for people.
 */
text: string, };

/**
 * Which events. Absent fields match all.
 */
export type EventFilter = { 
/**
 * About this board.
 */
board: BoardId | null, 
/**
 * About this deployment.
 */
deployment: string | null, 
/**
 * About this batch.
 */
batch: BatchId | null, 
/**
 * With an id above this one.
 */
after: number, 
/**
 * At most this many; 0 means 1000.
 */
limit: number, };

/**
 * A failure: what happened and what to do next.
 */
export type Failure = { 
/**
 * The stage in which it happened.
 */
stage: Stage, 
/**
 * One sentence: what happened.
 */
what: string, 
/**
 * One sentence: what to do next.
 */
next: string, };

/**
 * Something the pre-flight or the continuous checks found.
 */
export type Finding = { 
/**
 * What was checked, e.g. `rival_dhcp`, `duplicate_address`, `default_route`, `carrier`.
 */
check: string, 
/**
 * How bad it is.
 */
level: Level, 
/**
 * What was found, in words.
 */
text: string, 
/**
 * What to do.
 */
next: string | null, 
/**
 * When.
 */
at: Millis, };

/**
 * Who grows the last partition and its file system.
 */
export type Grow = "image" | "agent" | "never" | "unknown";

/**
 * Which deployments. Absent fields match all.
 */
export type HistoryFilter = { 
/**
 * Of this board.
 */
board: BoardId | null, 
/**
 * Of this batch.
 */
batch: BatchId | null, 
/**
 * Of this product.
 */
product: ProductCode | null, 
/**
 * For this venue.
 */
venue: VenueCode | null, 
/**
 * In this stage.
 */
stage: Stage | null, 
/**
 * Begun at this moment or later.
 */
since: Millis | null, 
/**
 * Begun before this moment.
 */
until: Millis | null, 
/**
 * Containing this text (name, serial, MAC, error).
 */
text: string | null, 
/**
 * At most this many; 0 means 1000.
 */
limit: number, 
/**
 * Leave out this many.
 */
offset: number, };

/**
 * Why a board waits instead of being provisioned.
 */
export type Hold = { "kind": "no_matching_batch" } | { "kind": "batch_paused", 
/**
 * The batch.
 */
batch: BatchId, } | { "kind": "no_names_left", 
/**
 * The product whose names ran out.
 */
product: ProductCode, 
/**
 * The venue whose names ran out.
 */
venue: VenueCode, } | { "kind": "no_active_image", 
/**
 * The product.
 */
product: ProductCode, } | { "kind": "disk_holds_system", 
/**
 * Device path on the board.
 */
disk: string, 
/**
 * What was found, in words.
 */
found: string, } | { "kind": "provisioned_before", 
/**
 * The name it has.
 */
hostname: Hostname, 
/**
 * When it was finished.
 */
at: Millis, } | { "kind": "needs_approval" } | { "kind": "no_suitable_disk", 
/**
 * Every disk with the reason it was passed over.
 */
why: string, } | { "kind": "image_too_big", 
/**
 * Device path on the board.
 */
disk: string, 
/**
 * Size of the disk in bytes.
 */
disk_bytes: number, 
/**
 * Size of the image in bytes.
 */
image_bytes: number, } | { "kind": "wrong_architecture", 
/**
 * What the image has and the board wants.
 */
why: string, } | { "kind": "identity_conflict", 
/**
 * Who the other is.
 */
why: string, } | { "kind": "by_operator" } | { "kind": "unknown" };

/**
 * One label of a host name (RFC 1123 §2.1, RFC 952): letters, digits and inner hyphens, 1 to 63
 * characters. The case is kept as given; two hostnames that differ only in case are the same name
 * to DNS, so whoever checks uniqueness compares [`Hostname::key`].
 */
export type Hostname = string;

/**
 * One image of the library.
 */
export type Image = { 
/**
 * Its content address.
 */
id: ImageId, 
/**
 * The product it was made for.
 */
product: ProductCode, 
/**
 * Name of the file it was imported from.
 */
file_name: string, 
/**
 * Version text given by the operator.
 */
version: string, 
/**
 * Free text.
 */
description: string, 
/**
 * Size of the uncompressed image in bytes: what a disk must hold.
 */
raw_bytes: number, 
/**
 * Bytes of data in it, holes excluded.
 */
data_bytes: number, 
/**
 * Size of its pack in bytes: what crosses the wire for one board.
 */
pack_bytes: number, 
/**
 * SHA-256 of the reconstruction (holes as zeros), 64 hex digits.
 */
sha256: string, 
/**
 * What was found inside.
 */
contents: ImageContents, 
/**
 * True while it is the image of its product.
 */
active: boolean, 
/**
 * What is wrong with its pack on the station's disk, if anything. Importing the same file again
 * mends it; until then no board gets the image.
 */
pack_fault: PackFault | null, 
/**
 * When it was imported.
 */
imported: Millis, };

/**
 * What was found inside an image.
 */
export type ImageContents = { 
/**
 * `mbr` or `gpt`.
 */
table: string, 
/**
 * Partitions in words, e.g. "1: FAT, 512 MiB, bootfs".
 */
partitions: Array<string>, 
/**
 * Name of the installed system (`PRETTY_NAME` of os-release), empty when not found.
 */
os: string, 
/**
 * Kernel file in the boot partition, e.g. `kernel_2712.img`.
 */
kernel: string, 
/**
 * Processor the kernel is for: `arm64`, `arm`, `x86_64`, or empty when not recognised.
 */
arch: string, 
/**
 * Device-tree files in the boot partition.
 */
device_trees: Array<string>, 
/**
 * How the installed system grows to fill its disk.
 */
grow: Grow, };

/**
 * Content address of an image: the BLAKE3 root hash of its pack's manifest, 64 hex digits.
 */
export type ImageId = string;

/**
 * How far an image import is.
 */
export type Import = { 
/**
 * Its id.
 */
id: string, 
/**
 * Name of the file.
 */
file_name: string, 
/**
 * Bytes of the file read so far.
 */
read: number, 
/**
 * Size of the file in bytes.
 */
total: number, 
/**
 * How it is.
 */
state: ImportState, 
/**
 * When it began.
 */
started: Millis, };

/**
 * How an image import is.
 */
export type ImportState = { "state": "running" } | { "state": "done", 
/**
 * Its id.
 */
image: ImageId, } | { "state": "failed", 
/**
 * Why and what to do.
 */
why: string, } | { "state": "unknown" };

/**
 * What a board has.
 */
export type Inventory = { 
/**
 * Its identity.
 */
board: BoardId, 
/**
 * The whole serial number, when it is a Raspberry Pi.
 */
serial: Serial | null, 
/**
 * Revision code, when it is a Raspberry Pi.
 */
revision: Revision | null, 
/**
 * The model as the device tree or the firmware names it.
 */
model: string, 
/**
 * Processor: `aarch64` or `x86_64`.
 */
arch: string, 
/**
 * Memory in MiB.
 */
ram_mib: number, 
/**
 * The address used for this deployment.
 */
mac: Mac, 
/**
 * Every Ethernet address.
 */
macs: Array<Mac>, 
/**
 * Link speed in Mbit/s, when known.
 */
link_mbit: number | null, 
/**
 * Its disks.
 */
disks: Array<Disk>, 
/**
 * Version of the boot EEPROM, in its own words.
 */
eeprom_version: string | null, 
/**
 * Boot order, e.g. `0xf461`.
 */
boot_order: string | null, 
/**
 * Processor temperature in thousandths of a degree Celsius.
 */
temperature_millicelsius: number | null, 
/**
 * Throttling flags of the firmware (bit 0: under-voltage now), when readable.
 */
throttled: number | null, };

/**
 * The paper that labels are printed on.
 */
export type LabelSheet = "a4x24" | "a4x65" | "letter_x30" | "single62x29" | "unknown";

/**
 * A lease of the deployment side.
 */
export type Lease = { 
/**
 * Who has it.
 */
mac: Mac, 
/**
 * Which board that is, when known.
 */
board: BoardId | null, 
/**
 * The address.
 */
ip: string, 
/**
 * Until when it is promised; it stays this board's favourite afterwards.
 */
until: Millis, };

/**
 * How much attention an event wants.
 */
export type Level = "info" | "warning" | "error" | "unknown";

/**
 * What holds a step back.
 */
export type Limit = "network" | "disk" | "processor" | "unknown";

/**
 * An open door.
 */
export type Listening = { 
/**
 * What for, in words: "DHCP", "the page", "the command line".
 */
what: string, 
/**
 * Where: `192.168.151.1:67 on eth1`, or the path of a Unix socket.
 */
at: string, };

/**
 * An Ethernet address: six octets, written `2c:cf:67:00:11:22`.
 */
export type Mac = string;

/**
 * UTC milliseconds since the Unix epoch.
 */
export type Millis = number;

/**
 * One name of a pool.
 */
export type Name = { 
/**
 * The name.
 */
hostname: Hostname, 
/**
 * Its product.
 */
product: ProductCode, 
/**
 * Its venue.
 */
venue: VenueCode, 
/**
 * Its number, for numbered patterns; the sort key.
 */
number: number | null, 
/**
 * Its state.
 */
state: NameState, 
/**
 * The batch it is reserved for.
 */
batch: BatchId | null, 
/**
 * The board that owns it (or, reserved by a CSV row, the only board that may).
 */
board: BoardId | null, 
/**
 * Free text.
 */
note: string, 
/**
 * When it changed last.
 */
changed: Millis, };

/**
 * Which names. Absent fields match all.
 */
export type NameFilter = { 
/**
 * Of this product.
 */
product: ProductCode | null, 
/**
 * Of this venue.
 */
venue: VenueCode | null, 
/**
 * In this state.
 */
state: NameState | null, 
/**
 * Containing this text (name, board or note).
 */
text: string | null, };

/**
 * The verdict on one entry of an import.
 */
export type NameLine = { 
/**
 * 1-based line of the input.
 */
line: number, 
/**
 * 1-based column where the entry begins.
 */
column: number, 
/**
 * The entry as written.
 */
token: string, 
/**
 * The name it makes, when it makes one.
 */
hostname: Hostname | null, 
/**
 * `add`, `duplicate` or `error`.
 */
verdict: Verdict, 
/**
 * What is wrong, for an error.
 */
message: string | null, };

/**
 * Where names come from.
 */
export type NameSource = { "from": "spec", 
/**
 * The text.
 */
text: string, } | { "from": "csv", 
/**
 * The text.
 */
text: string, };

/**
 * The state of a name.
 */
export type NameState = "available" | "reserved" | "assigned" | "retired" | "unknown";

/**
 * What an import of names did, or would do.
 */
export type NamesReport = { 
/**
 * Was it only a preview?
 */
dry_run: boolean, 
/**
 * Names added, or to be added.
 */
added: number, 
/**
 * Names that exist already.
 */
duplicates: number, 
/**
 * Entries that are wrong; any error means that nothing was imported.
 */
errors: number, 
/**
 * A verdict per entry, in numeric order of the input.
 */
lines: Array<NameLine>, };

/**
 * One network card as the operator sees it.
 */
export type Nic = { 
/**
 * Its name, e.g. `eth1`.
 */
name: string, 
/**
 * Its Ethernet address.
 */
mac: Mac | null, 
/**
 * Is it switched on?
 */
up: boolean, 
/**
 * Is there a link partner at the other end of its cable?
 */
carrier: boolean, 
/**
 * Speed in Mbit/s, when the driver knows it.
 */
speed_mbit: number | null, 
/**
 * Its IPv4 addresses with prefix lengths, e.g. `192.168.151.1/24`.
 */
addresses: Array<string>, 
/**
 * Does the way to other networks leave through it?
 */
default_route: boolean, 
/**
 * Is it the one boards hang on now?
 */
chosen: boolean, 
/**
 * What speaks for or against it, in words.
 */
advice: NicAdvice | null, };

/**
 * What speaks for or against a card.
 */
export type NicAdvice = { 
/**
 * [`Level::Info`]: fit. [`Level::Warning`]: only when meant. [`Level::Error`]: cannot be used.
 */
level: Level, 
/**
 * One sentence.
 */
text: string, };

/**
 * Somebody who may log in.
 */
export type Operator = { 
/**
 * The name.
 */
name: OperatorName, 
/**
 * What this operator may do.
 */
role: Role, 
/**
 * May not log in at present.
 */
disabled: boolean, 
/**
 * Since when the operator is known.
 */
created: Millis, 
/**
 * The last login.
 */
last_login: Millis | null, 
/**
 * Logins that are open now.
 */
sessions: number, };

/**
 * The name of an operator, in lower case: 1 to 32 letters, digits, `.`, `-` and `_`.
 */
export type OperatorName = string;

/**
 * What is wrong with a pack.
 */
export type PackFault = "missing" | "damaged" | "unknown";

/**
 * A password on its way to the station. It is shown nowhere: not in a log, not in the record.
 */
export type Password = string;

/**
 * The names of one pool that are in one state.
 */
export type PoolCount = { 
/**
 * The product.
 */
product: ProductCode, 
/**
 * The venue.
 */
venue: VenueCode, 
/**
 * The state.
 */
state: NameState, 
/**
 * How many.
 */
count: number, };

/**
 * Settings of taste, kept by the station.
 */
export type Preferences = { 
/**
 * No desktop notifications.
 */
quiet: boolean, 
/**
 * Warn when a product has fewer free names for a venue than this, once batches use them.
 */
names_low: number, 
/**
 * Warn when the data folder's disk has less room than this, in bytes.
 */
disk_low: number, };

/**
 * A product: what a board becomes.
 */
export type Product = { 
/**
 * Its code.
 */
code: ProductCode, 
/**
 * Its name for people.
 */
name: string, 
/**
 * Hostname pattern, e.g. `{product}-{venue}-{number:03}`.
 */
pattern: string, 
/**
 * The active image, if any.
 */
image: ImageId | null, 
/**
 * True once it takes no new batches.
 */
archived: boolean, };

/**
 * The short code of a product, 1 to 16 letters, digits or inner hyphens, upper case: `KXP2`.
 */
export type ProductCode = string;

/**
 * A set of choices under a name. What is absent is left as it is when the profile is applied.
 */
export type Profile = { 
/**
 * Its name.
 */
name: string, 
/**
 * The NIC, the station's address and the addresses handed out.
 */
deployment: DeploymentChoice | null, 
/**
 * What boards become.
 */
product: ProfileProduct | null, 
/**
 * Where they go.
 */
venue: ProfileVenue | null, 
/**
 * The preferences.
 */
preferences: Preferences | null, };

/**
 * A product as a profile describes it; applying makes it when there is none.
 */
export type ProfileProduct = { 
/**
 * Its code.
 */
code: ProductCode, 
/**
 * Its name.
 */
name: string, 
/**
 * Its hostname pattern.
 */
pattern: string, };

/**
 * A profile, and what applying it changes or has changed.
 */
export type ProfileReport = { 
/**
 * The profile.
 */
profile: Profile, 
/**
 * What differs from how the station is now.
 */
changes: Array<Change>, };

/**
 * A venue as a profile describes it; applying makes it when there is none.
 */
export type ProfileVenue = { 
/**
 * Its code.
 */
code: VenueCode, 
/**
 * Its name.
 */
name: string, 
/**
 * Where it is.
 */
location: string, 
/**
 * Contact e-mail address.
 */
contact: string, };

/**
 * How far a long step has come. Droppable: only the newest counts.
 */
export type Progress = { 
/**
 * Bytes of this step done.
 */
done: number, 
/**
 * Bytes of this step in all.
 */
total: number, 
/**
 * Present rate in bytes per second.
 */
rate: number, 
/**
 * What holds the step back now.
 */
limit: Limit, };

/**
 * Something a reader wants to know.
 */
export type Query = { "query": "boards" } | { "query": "board", 
/**
 * Which.
 */
board: BoardId, } | { "query": "products" } | { "query": "venues" } | { "query": "names" } & NameFilter | { "query": "batches" } | { "query": "batch", 
/**
 * Which.
 */
batch: BatchId, } | { "query": "images" } | { "query": "history" } & HistoryFilter | { "query": "events" } & EventFilter | { "query": "leases" } | { "query": "ready" } | { "query": "stats" } | { "query": "certificate", 
/**
 * Which batch.
 */
batch: BatchId, } | { "query": "sheet", 
/**
 * Which.
 */
board: BoardId, } | { "query": "history_count" } & HistoryFilter | { "query": "nics" } | { "query": "settings" } | { "query": "works" } | { "query": "self_test" } | { "query": "try", 
/**
 * The command.
 */
of: Command, } | { "query": "document" } & DocumentKind | { "query": "operators" } | { "query": "deeds" } & DeedFilter | { "query": "backups" } | { "query": "profiles" } | { "query": "configuration" } | { "query": "unknown" };

/**
 * The body of `GET /ready`.
 */
export type Ready = { 
/**
 * True when every subsystem is.
 */
ready: boolean, 
/**
 * Each subsystem.
 */
subsystems: Array<Subsystem>, 
/**
 * When.
 */
at: Millis, };

/**
 * What a command did.
 */
export type Receipt = { "receipt": "done", 
/**
 * What was done.
 */
text: string, } | { "receipt": "product" } & Product | { "receipt": "venue" } & Venue | { "receipt": "name" } & Name | { "receipt": "batch" } & Batch | { "receipt": "board" } & Board | { "receipt": "image" } & Image | { "receipt": "names" } & NamesReport | { "receipt": "operator" } & Operator | { "receipt": "import", 
/**
 * Its id.
 */
import: string, } | { "receipt": "profile" } & ProfileReport | { "receipt": "config" } & Reloaded | { "receipt": "unknown" };

/**
 * A refused command or query: what happened, to what, and what to do next.
 */
export type Refusal = { 
/**
 * Machine-readable reason.
 */
code: Code, 
/**
 * One sentence: what happened, to what.
 */
message: string, 
/**
 * The field of the command that is at fault, in the command's own spelling.
 */
field?: string | null, 
/**
 * One sentence: what to do next.
 */
next?: string | null, };

/**
 * How the rehearsal goes that runs beside the station, or how the last one ended.
 */
export type Rehearsal = { 
/**
 * What is rehearsed.
 */
plan: RehearsalPlan, 
/**
 * How it is.
 */
state: RehearsalState, 
/**
 * When it began.
 */
started: Millis, };

/**
 * A fault that a rehearsal can give a board.
 */
export type RehearsalFault = "disk_error_once" | "power_cut" | "packet_loss" | "small_disk" | "used_disk" | "goes_quiet" | "unknown";

/**
 * What to rehearse.
 */
export type RehearsalPlan = { 
/**
 * How many boards, 1 to 100.
 */
boards: number, 
/**
 * How fast boards write and read, in percent of an ordinary card; 0 as fast as the machine can.
 */
speed_percent: number, 
/**
 * How many of them have a fault, dealt out evenly.
 */
faulty: number, 
/**
 * The faults that are dealt out in turn; empty for all.
 */
faults: Array<RehearsalFault>, 
/**
 * Models, dealt out in turn (`pi3b+`, `pi4`, `pi5`, `cm5`); empty for all.
 */
models: Array<string>, };

/**
 * The result of a rehearsal.
 */
export type RehearsalReport = { 
/**
 * Virtual boards powered on.
 */
boards: number, 
/**
 * Boards done.
 */
done: number, 
/**
 * Boards failed.
 */
failed: number, 
/**
 * Names of the boards, in order of the boards.
 */
hostnames: Array<string>, 
/**
 * Wall time in seconds.
 */
seconds: number, 
/**
 * Size of the image in bytes.
 */
image_bytes: number, 
/**
 * Image bytes that crossed the wire, all boards together.
 */
wire_bytes: number, 
/**
 * True when every board is done and every backing file was checked and found right.
 */
verified: boolean, 
/**
 * Each board.
 */
per_board: Array<RehearsedBoard>, };

/**
 * How a rehearsal is.
 */
export type RehearsalState = { "state": "preparing", 
/**
 * What is being done, in words.
 */
doing: string, } | { "state": "running" } | { "state": "proving" } | { "state": "ended", 
/**
 * What came of it.
 */
report: RehearsalReport, } | { "state": "stopped", 
/**
 * Why, in words.
 */
why: string, } | { "state": "unknown" };

/**
 * One board of a rehearsal.
 */
export type RehearsedBoard = { 
/**
 * Its serial number.
 */
serial: string, 
/**
 * Its name, empty when it got none.
 */
hostname: string, 
/**
 * Where it ended.
 */
state: Stage, 
/**
 * Power-on to done, in seconds.
 */
seconds: number, 
/**
 * Bytes written to its backing file.
 */
bytes_written: number, 
/**
 * Bytes read back from it.
 */
bytes_read_back: number, 
/**
 * How the chunks came.
 */
transport: string, 
/**
 * What is wrong with its backing file, when something is.
 */
fault?: string | null, };

/**
 * What to do with a board whose disk holds a system, or that was provisioned before.
 */
export type ReimagePolicy = "ask" | "overwrite_foreign" | "unknown";

/**
 * What a reload of the configuration did.
 */
export type Reloaded = { 
/**
 * The file, when there is one.
 */
file: string | null, 
/**
 * What changed: first what is in effect, then what waits.
 */
changes: Array<Change>, };

/**
 * A 32-bit board revision code as found in option 97, the device tree and `/proc/cpuinfo`.
 */
export type Revision = number;

/**
 * What an operator may do. A later role may do everything that an earlier one may.
 */
export type Role = "viewer" | "operator" | "admin" | "unknown";

/**
 * What a self-test found.
 */
export type SelfTest = { 
/**
 * True when a board would get what it needs.
 */
fit: boolean, 
/**
 * Each step, in the order of a board's way; then the operators' page.
 */
steps: Array<TestStep>, 
/**
 * When it ended.
 */
at: Millis, 
/**
 * How long it took, in milliseconds.
 */
took_ms: number, };

/**
 * A Raspberry Pi's whole 64-bit serial number: 16 lower-case hex digits.
 */
export type Serial = string;

/**
 * A server of the deployment side.
 */
export type ServerKind = "dhcp" | "tftp" | "http";

/**
 * One server with its state.
 */
export type ServerStatus = { 
/**
 * Which.
 */
server: ServerKind, 
/**
 * Where it listens, e.g. `192.168.151.1:67 on eth1`.
 */
listen: string | null, 
/**
 * Since when.
 */
since: Millis, } & ({ "state": "stopped" } | { "state": "waiting_for_link" } | { "state": "probing" } | { "state": "serving" } | { "state": "restarting", 
/**
 * Why it ended.
 */
why: string, 
/**
 * How often it was restarted since it last served for a minute.
 */
times: number, } | { "state": "refused", 
/**
 * The reason.
 */
why: string, } | { "state": "unknown" });

/**
 * What `GET /api/v1/session` and a login answer: who is asking, and what that allows.
 */
export type Session = { 
/**
 * How whoever asks is known.
 */
door: Door, 
/**
 * Who that is; nothing for somebody unknown.
 */
name: string | null, 
/**
 * What that allows; nothing for somebody unknown.
 */
role: Role | null, 
/**
 * May somebody unknown look?
 */
open: boolean, 
/**
 * Is there anybody who can log in?
 */
operators: boolean, 
/**
 * When the login ends at the latest.
 */
until: Millis | null, };

/**
 * The settings as they are.
 */
export type Settings = { 
/**
 * The deployment side.
 */
deployment: DeploymentChoice, 
/**
 * Set when a configuration file, an environment variable or a flag decides over
 * [`Settings::deployment`], so that it cannot be changed here: which, in words.
 */
deployment_fixed_by: string | null, 
/**
 * The rest.
 */
preferences: Preferences, 
/**
 * The folder that holds everything.
 */
data_dir: string, 
/**
 * Where a browser on the management side finds this page, e.g. `http://127.0.0.1:5000`.
 */
page: string | null, 
/**
 * SHA-256 fingerprint of the certificate that this address shows, when it is encrypted.
 */
fingerprint: string | null, };

/**
 * How the deployments of one kind ended.
 */
export type Share = { 
/**
 * The kind: a model, a venue code.
 */
of: string, 
/**
 * Done or confirmed.
 */
done: number, 
/**
 * Failed.
 */
failed: number, };

/**
 * Everything about one board.
 */
export type Sheet = { 
/**
 * Its tile.
 */
board: Board, 
/**
 * What it said it has, when it last checked in.
 */
inventory: Inventory | null, 
/**
 * Its way from the first packet to the first boot, in order.
 */
timeline: Array<Step>, 
/**
 * How fast its disk was written and read back.
 */
curve: Curve, 
/**
 * Its deployments, newest first.
 */
deployments: Array<Deployment>, 
/**
 * What to do next, when it is stalled, held or failed; the likeliest first.
 */
advice: Array<Advice>, };

/**
 * Everything a screen shows.
 */
export type Snapshot = { 
/**
 * The operator protocol of the station, [`crate::PROTOCOL`].
 */
protocol: number, 
/**
 * Version of the station.
 */
version: string, 
/**
 * The station's clock.
 */
at: Millis, 
/**
 * Boards of the bench, in order of appearance.
 */
boards: Array<Board>, 
/**
 * Batches, by rank, ended ones last.
 */
batches: Array<Batch>, 
/**
 * Images.
 */
images: Array<Image>, 
/**
 * Servers.
 */
servers: Array<ServerStatus>, 
/**
 * Findings of the wire checks.
 */
findings: Array<Finding>, 
/**
 * Image imports of this run.
 */
imports: Array<Import>, 
/**
 * The rehearsal beside the station.
 */
rehearsal: Rehearsal | null, 
/**
 * The preferences.
 */
preferences: Preferences, 
/**
 * How it is with backups.
 */
backup: BackupState, 
/**
 * True for the station of a rehearsal itself.
 */
is_rehearsal: boolean, };

/**
 * How fast it went at one place of a disk.
 */
export type Speed = { 
/**
 * Bytes of the step done by then.
 */
at: number, 
/**
 * Bytes per second.
 */
rate: number, };

/**
 * Where a board is in its life. One enum for the database, the API and the page.
 *
 * The main path runs from [`Stage::Seen`] to [`Stage::FirstBootConfirmed`]; the arms after it are
 * the side roads. Being quiet for too long is not a stage: it is [`Board::stalled`], so that the
 * tile still shows *where* the board went quiet.
 */
export type Stage = "seen" | "addressed" | "loading_boot_files" | "checked_in" | "assigned" | "preparing_storage" | "writing" | "verifying" | "personalising" | "finishing" | "done" | "first_boot_confirmed" | "on_hold" | "already_done" | "failed" | "not_ours" | "cancelled" | "unknown";

/**
 * How long a stage took.
 */
export type StageTime = { 
/**
 * The stage.
 */
stage: Stage, 
/**
 * Deployments that it is drawn from.
 */
count: number, 
/**
 * Half of them took at most this long, in milliseconds.
 */
median_ms: number, 
/**
 * 95 of 100 took at most this long, in milliseconds.
 */
p95_ms: number, };

/**
 * A board that has been quiet for longer than its stage allows.
 */
export type Stall = { 
/**
 * Since when nothing was heard.
 */
since: Millis, 
/**
 * What to look at, in words.
 */
advice: string, };

/**
 * Counts for a dashboard.
 */
export type Stats = { 
/**
 * Names by pool and state.
 */
names: Array<PoolCount>, 
/**
 * Deployments of the last 24 hours.
 */
recent: number, 
/**
 * Of these, done or confirmed.
 */
recent_done: number, 
/**
 * Venues not archived.
 */
venues: number, 
/**
 * How long each stage took, over all finished deployments.
 */
stages: Array<StageTime>, 
/**
 * How deployments ended, by model.
 */
by_model: Array<Share>, 
/**
 * How deployments ended, by venue.
 */
by_venue: Array<Share>, };

/**
 * A stretch of a board's way.
 */
export type Step = { 
/**
 * The stage.
 */
stage: Stage, 
/**
 * When it began.
 */
began: Millis, 
/**
 * When it ended; absent while it lasts.
 */
ended: Millis | null, 
/**
 * A line about it: address, last file, disk.
 */
detail: string | null, };

/**
 * One subsystem in `/ready`.
 */
export type Subsystem = { 
/**
 * Its name: `database`, `disk`, `nic`, `dhcp`, `tftp`, `http`, `image`, `pool`.
 */
name: string, 
/**
 * Fit to serve?
 */
ready: boolean, 
/**
 * One sentence.
 */
detail: string, };

/**
 * One step of a self-test.
 */
export type TestStep = { 
/**
 * Its name: `offer`, `boot_files`, `check_in`, `manifest`, `range`, `wire`, `page`.
 */
step: string, 
/**
 * What became of it.
 */
verdict: TestVerdict, 
/**
 * What was found, one sentence.
 */
found: string, 
/**
 * What to do, where something is to be done.
 */
next: string | null, 
/**
 * How long it took, in milliseconds.
 */
took_ms: number, };

/**
 * What became of a step.
 */
export type TestVerdict = "passed" | "failed" | "not_run" | "unknown";

/**
 * A file or an image on its way to a board.
 */
export type Transfer = { 
/**
 * By which server.
 */
server: ServerKind, 
/**
 * To which board, when known.
 */
board: BoardId | null, 
/**
 * To which address.
 */
ip: string, 
/**
 * What: a path, or the short id of an image.
 */
what: string, 
/**
 * Bytes sent.
 */
sent: number, 
/**
 * Bytes in all, when known.
 */
total: number | null, 
/**
 * Since when.
 */
since: Millis, };

/**
 * What would come of a command.
 */
export type Tried = { "would": "do", 
/**
 * With this receipt.
 */
receipt: Receipt, } | { "would": "refuse", 
/**
 * For this reason.
 */
refusal: Refusal, } | { "would": "unknown" };

/**
 * One change, or everything at once.
 */
export type Update = { "update": "snapshot", "value": Snapshot } | { "update": "board", "value": Board } | { "update": "board_gone", "value": BoardId } | { "update": "batch", "value": Batch } | { "update": "images", "value": Array<Image> } | { "update": "server", "value": ServerStatus } | { "update": "findings", "value": Array<Finding> } | { "update": "import", "value": Import } | { "update": "rehearsal", "value": Rehearsal | null } | { "update": "preferences", "value": Preferences } | { "update": "backup", "value": BackupState } | { "update": "plans" } | { "update": "event", "value": Event } | { "update": "unknown" };

/**
 * One value that is in effect.
 */
export type Value = { 
/**
 * Its section and key, e.g. `deployment.interface`.
 */
key: string, 
/**
 * The value, as it would be written in the file.
 */
value: string, 
/**
 * Where it comes from, in words: "default", "line 3", "the operator's choice", …
 */
from: string, };

/**
 * A venue: where boards go.
 */
export type Venue = { 
/**
 * Its code; never changes.
 */
code: VenueCode, 
/**
 * Its name, 1 to 100 characters.
 */
name: string, 
/**
 * Where it is, at most 100 characters.
 */
location: string, 
/**
 * Contact e-mail address, may be empty.
 */
contact: string, 
/**
 * True once it takes no new batches.
 */
archived: boolean, };

/**
 * The 4-character code of a venue, upper case: `coro` becomes `CORO`.
 */
export type VenueCode = string;

/**
 * The verdict on one entry of an import.
 */
export type Verdict = "add" | "duplicate" | "error";

/**
 * How thoroughly a written disk was proven.
 */
export type VerifyLevel = "full_read_back" | "reported" | "unknown";

/**
 * What the servers are doing at this moment, and what they live on.
 */
export type Works = { 
/**
 * Files and chunks on their way to boards.
 */
transfers: Array<Transfer>, 
/**
 * The disk that holds the data folder.
 */
disk: DiskRoom, 
/**
 * Where the station listens.
 */
sockets: Array<Listening>, 
/**
 * Memory the station uses, in bytes.
 */
memory: number, 
/**
 * How long it has run, in milliseconds.
 */
up_ms: number, };

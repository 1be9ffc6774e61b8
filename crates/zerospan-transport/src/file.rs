use crate::body::Body;
use crate::error::{ConfigError, RetryHint, SendError, SendErrorKind};
use crate::request::Request;
use crate::response::ExportResponse;
use crate::transport::{Connect, Transport};
use std::fs::{File, Metadata, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;
use zerospan_otlp::protobuf::write_varint;

/// Appends each request to a file, which any number of pipelines and processes may share.
///
/// # Format
///
/// The file is a sequence of records, and nothing else. A record is the length of a request as a varint (protobuf's: 7 bits
/// a byte, the lowest first, the highest bit set in all but the last), and then as many bytes: the encoded request, which is
/// an `ExportTraceServiceRequest` or an `ExportLogsServiceRequest`.
///
/// A writer locks the file ([`File::lock`]), appends a whole record by one write, and unlocks it. If a process is killed in
/// the middle, the file ends with a half record, until the next writer cuts it off. A reader beside writers therefore takes
/// a shared lock ([`File::lock_shared`]), or ends where fewer bytes follow than the last length says.
///
/// A file that ends with something else is left as it is, and refused.
///
/// The file is opened for each request: it may be renamed or removed meanwhile, and is created again. Network file systems
/// without locks, and files that this process may not read, are written to without these checks.
#[derive(Clone, Debug)]
pub struct FileTransport {
    path: PathBuf,
}

impl FileTransport {
    /// Appends to the file at `path`, which is created if it does not exist.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the file cannot be opened for writing.
    pub fn new(path: impl Into<PathBuf>) -> Result<Self, ConfigError> {
        let transport = Self { path: path.into() };
        match open(&transport.path) {
            Ok(_) => Ok(transport),
            Err(error) => Err(ConfigError::new(
                "file",
                transport.path.display(),
                format!("a file that can be written to ({error})"),
            )),
        }
    }
}

impl Connect for FileTransport {
    fn connect(&self) -> Result<Box<dyn Transport>, SendError> {
        Ok(Box::new(Writer {
            path: self.path.clone(),
            record: Vec::new(),
            checked: None,
        }))
    }
}

/// Appends to one file.
struct Writer {
    path: PathBuf,
    /// Memory for a record.
    record: Vec<u8>,
    /// The file that was written to last, and where its last whole record ended.
    checked: Option<(FileId, u64)>,
}

/// The maximum memory that a writer keeps between requests.
const MAX_IDLE_BYTES: usize = 1 << 20;

/// The time between two attempts to lock the file.
const LOCK_INTERVAL: Duration = Duration::from_millis(1);

impl Transport for Writer {
    fn send(&mut self, request: &Request<'_>) -> Result<ExportResponse, SendError> {
        let mut file = open(&self.path).map_err(|error| unavailable(&error))?;
        let is_locked = lock(&file, request)?;
        let written = self.append(&mut file, request.body);
        if is_locked {
            let _ = file.unlock();
        }
        if self.record.capacity() > MAX_IDLE_BYTES {
            self.record = Vec::new();
        }
        written.map(|()| ExportResponse::ALL)
    }
}

impl Writer {
    fn append(&mut self, file: &mut File, body: Body<'_>) -> Result<(), SendError> {
        let metadata = file.metadata().map_err(|error| unavailable(&error))?;
        // A pipe has neither an end nor a past.
        let end = match metadata.is_file() {
            true => Some(self.cut_half_record(file, &metadata)?),
            false => None,
        };
        self.record.clear();
        write_varint(&mut self.record, body.len() as u64);
        body.append_to(&mut self.record);
        if let Err(error) = file.write_all(&self.record) {
            // Without half a record.
            if let Some(end) = end {
                let _ = file.set_len(end);
            }
            return Err(unavailable(&error));
        }
        self.checked = end.map(|end| (FileId::new(&metadata), end + self.record.len() as u64));
        Ok(())
    }

    /// Removes the half record of a process that was killed. Returns the file's length.
    ///
    /// Reads the lengths of the records that others wrote since the last time.
    fn cut_half_record(&self, file: &mut File, metadata: &Metadata) -> Result<u64, SendError> {
        let len = metadata.len();
        let mut at = match &self.checked {
            Some((id, end)) if *id == FileId::new(metadata) && *end <= len => *end,
            _ => 0,
        };
        while at < len {
            match next_record(file, at, len) {
                Ok(Next::Whole(end)) => at = end,
                Ok(Next::Half) => {
                    file.set_len(at).map_err(|error| unavailable(&error))?;
                    return Ok(at);
                }
                Ok(Next::Foreign) => {
                    return Err(SendError::refused(format!(
                        "{} holds something that is no request, at byte {at}: choose another file",
                        self.path.display()
                    )));
                }
                // The file may be written to, but not read.
                Err(error) if error.raw_os_error().is_some() => return Ok(len),
                Err(error) => return Err(unavailable(&error)),
            }
        }
        Ok(len)
    }
}

/// The next part of a file.
enum Next {
    /// A record that ends here.
    Whole(u64),
    /// The beginning of a record.
    Half,
    /// The beginning of something else.
    Foreign,
}

/// Reads the length of the record that begins at `at` in a file of `len` bytes.
fn next_record(file: &mut File, at: u64, len: u64) -> io::Result<Next> {
    /// The tag of the only field of a request.
    const RESOURCES: u8 = 0x0a;
    const MAX_VARINT: usize = 10;

    let mut start = [0; MAX_VARINT + 1];
    let available = usize::try_from(len - at).map_or(start.len(), |rest| rest.min(start.len()));
    let start = &mut start[..available];
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(start)?;
    let Some(last) = start.iter().position(|byte| byte & 0x80 == 0) else {
        return Ok(match available > MAX_VARINT {
            true => Next::Foreign,
            false => Next::Half,
        });
    };
    let varint = start[..=last].iter().rev();
    let body = varint.fold(0_u64, |value, byte| value << 7 | u64::from(byte & 0x7f));
    let end = (at + last as u64 + 1).saturating_add(body);
    Ok(match start.get(last + 1) {
        _ if end <= len => Next::Whole(end),
        Some(&tag) if tag != RESOURCES => Next::Foreign,
        _ => Next::Half,
    })
}

/// Tells one file from another that has taken its place.
#[derive(PartialEq, Eq)]
struct FileId {
    #[cfg(unix)]
    inode: (u64, u64),
    #[cfg(not(unix))]
    created: Option<std::time::SystemTime>,
}

impl FileId {
    fn new(metadata: &Metadata) -> Self {
        #[cfg(unix)]
        use std::os::unix::fs::MetadataExt;
        Self {
            #[cfg(unix)]
            inode: (metadata.dev(), metadata.ino()),
            #[cfg(not(unix))]
            created: metadata.created().ok(),
        }
    }
}

/// Opens the file for appending, and for reading if that is allowed.
fn open(path: &Path) -> io::Result<File> {
    let append = |read| {
        OpenOptions::new()
            .read(read)
            .append(true)
            .create(true)
            .open(path)
    };
    match append(true) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => append(false),
        opened => opened,
    }
}

/// Locks the file until the deadline of the request. Returns `false` if its file system has no locks.
///
/// Does not wait in the system, which knows no deadline.
fn lock(file: &File, request: &Request<'_>) -> Result<bool, SendError> {
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(_)) => return Ok(false),
        }
        let left = request.time_left();
        if left == Duration::ZERO {
            return Err(SendError::timed_out("another process has locked the file"));
        }
        std::thread::sleep(left.min(LOCK_INTERVAL));
    }
}

fn unavailable(error: &io::Error) -> SendError {
    SendError::new(
        SendErrorKind::Unavailable,
        RetryHint::Backoff,
        error.to_string(),
    )
}

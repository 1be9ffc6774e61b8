use crate::{Accepted, ConfigError, Connect, DropCause, Request, Retry, SendError, Transport};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;

/// Appends each request to a file: its length as a varint, then the encoded `ExportTraceServiceRequest`.
///
/// The file is opened for appending when the worker starts, and again in a forked child.
#[derive(Clone, Debug)]
pub struct ToFile {
    path: PathBuf,
}

impl ToFile {
    /// Writes to the file at `path`, behind what it holds. The file is created if there is none.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the file cannot be opened for writing.
    pub fn new(path: impl Into<PathBuf>) -> Result<Self, ConfigError> {
        let transport = Self { path: path.into() };
        match transport.open() {
            Ok(_) => Ok(transport),
            Err(error) => Err(ConfigError::new(
                "file",
                transport.path.display(),
                format!("a file that can be written to ({error})"),
            )),
        }
    }

    fn open(&self) -> io::Result<File> {
        OpenOptions::new()
            .append(true)
            .create(true)
            .open(&self.path)
    }
}

impl Connect for ToFile {
    fn connect(&self) -> Result<Box<dyn Transport>, SendError> {
        let file = self.open().map_err(|error| failure(&error))?;
        Ok(Box::new(Appending { file }))
    }
}

struct Appending {
    file: File,
}

impl Transport for Appending {
    fn send(&mut self, request: &Request<'_>) -> Result<Accepted, SendError> {
        let end = self.file.metadata().map_err(|error| failure(&error))?.len();
        let mut header = Vec::with_capacity(10);
        crate::wire::put_varint(&mut header, request.body.len() as u64);
        let written = self
            .file
            .write_all(&header)
            .and_then(|()| self.file.write_all(request.body));
        written.map_err(|error| {
            // Half a request would make all that comes after it unreadable.
            let _ = self.file.set_len(end);
            failure(&error)
        })?;
        Ok(Accepted::ALL)
    }
}

fn failure(error: &io::Error) -> SendError {
    SendError::new(DropCause::Unavailable, Retry::Backoff, error.to_string())
}

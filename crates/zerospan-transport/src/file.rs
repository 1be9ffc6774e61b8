use crate::error::{ConfigError, RetryHint, SendError, SendErrorKind};
use crate::request::Request;
use crate::response::ExportResponse;
use crate::transport::{Connect, Transport};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;
use zerospan_otlp::protobuf::write_varint;

/// Appends each request to a file: its length as a varint, then the encoded request.
///
/// The worker opens the file for appending when it starts, and again in a forked child.
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

impl Connect for FileTransport {
    fn connect(&self) -> Result<Box<dyn Transport>, SendError> {
        let file = self.open().map_err(|error| unavailable(&error))?;
        Ok(Box::new(OpenFile { file }))
    }
}

struct OpenFile {
    file: File,
}

impl Transport for OpenFile {
    fn send(&mut self, request: &Request<'_>) -> Result<ExportResponse, SendError> {
        let end = self
            .file
            .metadata()
            .map_err(|error| unavailable(&error))?
            .len();
        let mut length = Vec::with_capacity(10);
        write_varint(&mut length, request.body.len() as u64);
        let written = self
            .file
            .write_all(&length)
            .and_then(|()| self.file.write_all(request.body));
        written.map_err(|error| {
            // Half a request would make everything after it unreadable.
            let _ = self.file.set_len(end);
            unavailable(&error)
        })?;
        Ok(ExportResponse::ALL)
    }
}

fn unavailable(error: &io::Error) -> SendError {
    SendError::new(
        SendErrorKind::Unavailable,
        RetryHint::Backoff,
        error.to_string(),
    )
}

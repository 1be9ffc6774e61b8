use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;

/// A connection's bytes, whatever carries them.
pub(super) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// Records that the peer sent something.
#[derive(Default)]
pub(super) struct Activity {
    reads: AtomicU64,
    /// The first bytes that the peer sent: they tell which protocol it speaks.
    first: OnceLock<Vec<u8>>,
    /// Signals the first bytes, or the end of the connection.
    pub(super) started: Notify,
}

impl Activity {
    /// Returns the number of times that the peer sent something.
    pub(super) fn reads(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }

    /// Returns the first bytes that the peer sent.
    pub(super) fn first(&self) -> Option<&[u8]> {
        self.first.get().map(Vec::as_slice)
    }

    fn read(&self, bytes: &[u8]) {
        if self.reads.fetch_add(1, Ordering::Relaxed) == 0 {
            let _ = self.first.set(bytes[..bytes.len().min(16)].to_vec());
            self.started.notify_one();
        }
    }
}

/// A stream whose reads are recorded.
pub(super) struct Watched {
    inner: Box<dyn Io>,
    activity: Arc<Activity>,
}

impl Watched {
    pub(super) fn new(inner: Box<dyn Io>, activity: Arc<Activity>) -> Self {
        Self { inner, activity }
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let filled = buffer.filled().len();
        let poll = Pin::new(&mut self.inner).poll_read(context, buffer);
        let read = &buffer.filled()[filled..];
        if !read.is_empty() {
            self.activity.read(read);
        }
        poll
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

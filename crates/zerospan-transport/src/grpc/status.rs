//! Tells apart what a server says, what something before it says, and what `tonic` says itself.

use super::describe::describe;
use crate::error::SendError;
use crate::response::{
    classify_grpc_code, one_line, parse_retry_after, parse_retry_info, too_long,
};
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use std::error::Error;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tonic::body::Body;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tower_service::Service;
use uri::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header};

/// Marks a status that a server sent. The texts of `tonic`'s own are not compared: a server may send the same.
static FROM_SERVER: HeaderName = HeaderName::from_static("zerospan-from-server");

type BoxError = Box<dyn Error + Send + Sync>;

/// A channel whose responses are gRPC's, or errors.
#[derive(Clone)]
pub(super) struct Checked(pub(super) Channel);

impl Service<Request<Body>> for Checked {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let response = self.0.call(request);
        Box::pin(async move { check(response.await?) })
    }
}

fn check(response: Response<Body>) -> Result<Response<Body>, BoxError> {
    let (mut head, body) = response.into_parts();
    let has_status = head.headers.contains_key(Status::GRPC_STATUS);
    if has_status {
        mark(&mut head.headers);
    } else {
        let is_grpc = head
            .headers
            .get(header::CONTENT_TYPE)
            .is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"));
        if head.status != StatusCode::OK || !is_grpc {
            return Err(Box::new(NotGrpc::new(head.status, &head.headers)));
        }
    }
    let body = Trailed { body, has_status };
    Ok(Response::from_parts(head, Body::new(body)))
}

fn mark(headers: &mut HeaderMap) {
    headers.insert(FROM_SERVER.clone(), HeaderValue::from_static(""));
}

/// A body that must end with a status.
struct Trailed {
    body: Body,
    has_status: bool,
}

impl HttpBody for Trailed {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Some(frame) = ready!(Pin::new(&mut self.body).poll_frame(context)) else {
            // `tonic` takes such a call for a success.
            let missing = !std::mem::replace(&mut self.has_status, true);
            return Poll::Ready(missing.then(|| Err(Box::new(NoStatus) as BoxError)));
        };
        let mut frame = frame?;
        if let Some(trailers) = frame.trailers_mut()
            && trailers.contains_key(Status::GRPC_STATUS)
        {
            self.has_status = true;
            mark(trailers);
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The response of something that does not speak gRPC, such as a balancer.
#[derive(Debug)]
struct NotGrpc {
    status: StatusCode,
    retry_after: Option<Duration>,
}

impl NotGrpc {
    fn new(status: StatusCode, headers: &HeaderMap) -> Self {
        Self {
            status,
            retry_after: headers
                .get(header::RETRY_AFTER)
                .and_then(|value| value.to_str().ok())
                .and_then(parse_retry_after),
        }
    }

    /// Maps the status by gRPC's own table.
    /// <https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md>
    fn to_error(&self) -> SendError {
        let code = match self.status.as_u16() {
            400 => 13,
            401 => 16,
            403 => 7,
            404 => 12,
            429 | 502..=504 => 14,
            _ => 2,
        };
        explained(classify_grpc_code(code, self.retry_after, ""), self)
    }
}

impl fmt::Display for NotGrpc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.status {
            StatusCode::OK => f.write_str("the response is not gRPC's"),
            status => write!(f, "the response is HTTP's {status}, and not gRPC's"),
        }
    }
}

impl Error for NotGrpc {}

#[derive(Debug)]
struct NoStatus;

impl fmt::Display for NoStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the response ended without a status")
    }
}

impl Error for NoStatus {}

/// Adds a reason to an error, in words of this crate.
fn explained(mut error: SendError, why: &dyn fmt::Display) -> SendError {
    error.message = format!("{}: {why}", error.message);
    error
}

/// Returns the error of a call that failed, by where its status arose. `is_first` is set for the first call over a connection.
pub(super) fn to_error(status: &Status, is_first: bool) -> SendError {
    if status.metadata().contains_key(FROM_SERVER.as_str()) {
        let delay = parse_retry_info(status.details());
        return classify_grpc_code(status.code().into(), delay, status.message());
    }
    if let Some(not_grpc) = find::<NotGrpc>(status) {
        return not_grpc.to_error();
    }
    if let Some(no_status) = find::<NoStatus>(status) {
        return explained(classify_grpc_code(2, None, ""), no_status);
    }
    if find::<tonic::TimeoutExpired>(status).is_some() {
        return SendError::timed_out("no response by the deadline");
    }
    match (status.source(), status.code()) {
        (Some(source), _) => SendError::unreachable(with_hint(source, is_first)),
        // What `tonic` finds in a response: the server took the request, which is not sent again.
        (None, Code::OutOfRange | Code::ResourceExhausted) => too_long(),
        (None, _) => SendError::refused(format!(
            "the response cannot be read: {}",
            one_line(status.message().as_bytes())
        )),
    }
}

/// Describes a failure to reach the server. Adds a remedy where the server seems to speak another protocol.
pub(super) fn with_hint(error: &(dyn Error + 'static), is_first: bool) -> String {
    let hint = if is_no_tls(error) {
        "the server does not speak TLS: the endpoint must begin with http://, or without a scheme \
         OTEL_EXPORTER_OTLP_INSECURE must be true: "
    } else if is_first && is_no_http2(error) {
        "the server did not answer with HTTP/2: it may speak HTTP/1, as at the port for OTLP/HTTP, or TLS, for which the \
         endpoint must begin with https://: "
    } else {
        ""
    };
    format!("{hint}{}", describe(error))
}

/// Reports whether a server sent what is no frame of HTTP/2, or ended the connection instead of an answer.
fn is_no_http2(error: &(dyn Error + 'static)) -> bool {
    let is_no_frame = |error: &h2::Error| {
        !error.is_remote() && error.reason() == Some(h2::Reason::FRAME_SIZE_ERROR)
    };
    let is_ended = |error: &io::Error| {
        matches!(
            error.kind(),
            io::ErrorKind::BrokenPipe
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::UnexpectedEof
        )
    };
    find(error).is_some_and(is_no_frame) || find(error).is_some_and(is_ended)
}

/// Reports whether a server answered with something else than TLS.
fn is_no_tls(error: &(dyn Error + 'static)) -> bool {
    #[cfg(feature = "tls")]
    let is_no_tls = matches!(
        find::<io::Error>(error)
            .and_then(io::Error::get_ref)
            .and_then(|inner| inner.downcast_ref()),
        Some(rustls::Error::InvalidMessage(_))
    );
    #[cfg(not(feature = "tls"))]
    let (is_no_tls, _) = (false, error);
    is_no_tls
}

/// Finds an error of a type among an error and its sources.
fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{RetryHint, SendErrorKind};

    #[test]
    fn a_response_of_http_is_mapped_by_grpcs_table() {
        let unavailable = [429, 502, 503, 504];
        for status in 100..600 {
            let status_code = StatusCode::from_u16(status).unwrap();
            let error = NotGrpc::new(status_code, &HeaderMap::new()).to_error();
            let retried = error.retry == RetryHint::Backoff;
            assert_eq!(retried, unavailable.contains(&status), "{status}");
            let kind = match retried {
                true => SendErrorKind::Unavailable,
                false => SendErrorKind::Refused,
            };
            assert_eq!(error.kind, kind, "{status}");
        }
    }

    #[test]
    fn a_status_of_http_is_named_as_the_code_that_stands_for_it() {
        for (status, code) in [
            (400, "INTERNAL"),
            (401, "UNAUTHENTICATED"),
            (403, "PERMISSION_DENIED"),
            (404, "UNIMPLEMENTED"),
            (500, "UNKNOWN"),
            (503, "UNAVAILABLE"),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            let error = NotGrpc::new(status, &HeaderMap::new()).to_error();
            assert!(error.message.contains(code), "{status}: {error}");
        }
    }

    #[test]
    fn an_end_of_the_connection_instead_of_the_first_answer_alone_suggests_another_protocol() {
        let hint = "did not answer with HTTP/2";
        let ended = io::Error::from(io::ErrorKind::ConnectionReset);
        assert!(with_hint(&ended, true).contains(hint));
        assert!(!with_hint(&ended, false).contains(hint));
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        assert!(!with_hint(&refused, true).contains(hint));
    }
}

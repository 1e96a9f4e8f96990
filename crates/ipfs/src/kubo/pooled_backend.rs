use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use common_multipart_rfc7578::client::multipart;
use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _, stream};
use http::{Request, Response, StatusCode, Version, header};
use http_body_util::{BodyExt as _, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::{Frame, Incoming};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use ipfs_api_prelude::{ApiError, ApiRequest, Backend, BoxStream};

use super::{
    KuboError, KuboOptions,
    endpoint::{Endpoint, basic},
    kubo_error::{root_cause, shortened},
};

/// Most bytes of an answer that is read as a whole.
const MAX_ANSWER: usize = 16 << 20;
/// The trailer in which Kubo tells of an error after its answer began.
const STREAM_ERROR: &str = "x-stream-error";

/// What `ipfs-api-prelude` calls the call in which something went wrong: it does not know.
pub(crate) const ANY_CALL: &str = "a call";

type Body = UnsyncBoxBody<Bytes, ipfs_api_prelude::Error>;

/// A client of one daemon that keeps its connections, sees errors in trailers, and never waits for ever: what the calls of
/// `ipfs-api-prelude` are made through.
///
/// The one that comes with it (`ipfs-api-backend-hyper` 0.6) makes a new connection for each call, and drops trailers.
#[derive(Clone)]
pub(crate) struct PooledBackend {
    pub(crate) endpoint: Endpoint,
    pub(crate) answer_within: Duration,
    client: Client<HttpsConnector<HttpConnector>, Body>,
}

/// An answer whose body has not been read.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    /// As the traits of `ipfs-api-prelude` want them.
    headers: http02::HeaderMap,
    body: Incoming,
    url: String,
    call: &'static str,
    within: Duration,
}

/// A call that is ready to be made.
pub(crate) struct Call {
    head: Request<()>,
    content: Content,
    name: &'static str,
    /// How long the daemon may say nothing.
    within: Duration,
}

/// The body of a call.
enum Content {
    /// Can be sent again.
    Pieces(Vec<Bytes>),
    /// Can be sent once.
    Stream(Body),
}

impl PooledBackend {
    pub(crate) fn new(options: &KuboOptions) -> Result<PooledBackend, KuboError> {
        let endpoint = Endpoint::new(options)?;
        let tls = |reason: String| KuboError::Tls { url: endpoint.url.clone(), reason };
        let config = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| tls(error.to_string()))?;
        let mut roots = rustls::RootCertStore::empty();
        for root in &options.roots {
            let added = roots.add(root.clone().into());
            added.map_err(|error| tls(format!("the certificate given is none: {error}")))?;
        }
        // a plain daemon needs no authorities, and a system may have none
        if endpoint.url.starts_with("https") {
            let system = rustls_native_certs::load_native_certs();
            // some of a system's certificates may be too old to be read, which nobody here can mend
            roots.add_parsable_certificates(system.certs);
            if roots.is_empty() {
                let reasons: Vec<String> = system.errors.iter().map(ToString::to_string).collect();
                return Err(tls(format!("this system trusts no authorities: {}", shortened(reasons.join(", ")))));
            }
        }
        let config = config.with_root_certificates(roots).with_no_client_auth();
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(options.connect_within));
        connector.set_nodelay(true);
        connector.enforce_http(false);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(config)
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(60))
            .build(connector);
        Ok(PooledBackend { endpoint, answer_within: options.answer_within, client })
    }

    /// The call of a request without a body.
    pub(crate) fn call<R: ApiRequest>(&self, request: &R) -> Result<Call, KuboError> {
        self.call_with(request, Content::Pieces(Vec::new()), None)
    }

    /// The call of a request with one file, given in pieces; nothing is copied.
    pub(crate) fn call_with_file<R: ApiRequest>(&self, request: &R, file: Vec<Bytes>) -> Result<Call, KuboError> {
        let boundary = boundary().map_err(|error| self.broken(R::PATH, error.to_string()))?;
        let head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"file\"\r\nContent-Type: application/octet-stream\r\n\r\n"
        );
        let tail = format!("\r\n--{boundary}--\r\n");
        let mut pieces = vec![Bytes::from(head)];
        pieces.extend(file);
        pieces.push(tail.into());
        let content = format!("multipart/form-data; boundary={boundary}");
        self.call_with(request, Content::Pieces(pieces), Some(content))
    }

    fn call_with<R: ApiRequest>(
        &self,
        request: &R,
        content: Content,
        content_type: Option<String>,
    ) -> Result<Call, KuboError> {
        let url = request.absolute_url(&self.endpoint.base).map_err(|error| self.broken(R::PATH, error.to_string()))?;
        let mut call = Request::builder().method("POST").uri(url.to_string());
        if let Some(authorization) = &self.endpoint.authorization {
            call = call.header(header::AUTHORIZATION, authorization.clone());
        }
        if let Some(content_type) = content_type {
            call = call.header(header::CONTENT_TYPE, content_type);
        }
        if let Content::Pieces(pieces) = &content {
            call = call.header(header::CONTENT_LENGTH, pieces.iter().map(|piece| piece.len() as u64).sum::<u64>());
        }
        let head = call.body(()).map_err(|error| self.broken(R::PATH, error.to_string()))?;
        Ok(Call { head, content, name: name_of(R::PATH), within: self.answer_within })
    }

    fn with_basic(mut self, user: &str, password: &str) -> PooledBackend {
        self.endpoint.authorization = Some(basic(user, password));
        self
    }

    fn broken(&self, path: &'static str, reason: String) -> KuboError {
        KuboError::Broken { url: self.endpoint.url.clone(), call: name_of(path), reason }
    }

    /// A connection that was kept may have ended without our having noticed: then a new one is tried. Every call may be made twice.
    async fn request(
        &self,
        head: Request<()>,
        content: Content,
    ) -> Result<Response<Incoming>, hyper_util::client::legacy::Error> {
        let pieces = match content {
            Content::Stream(body) => return self.client.request(head.map(|()| body)).await,
            Content::Pieces(pieces) => pieces,
        };
        match self.client.request(head.clone().map(|()| body_of(pieces.clone()))).await {
            Err(error) if is_lost(&error) => self.client.request(head.map(|()| body_of(pieces))).await,
            answer => answer,
        }
    }

    /// Makes a call. An answer that is no success is an error.
    pub(crate) async fn send(&self, call: Call) -> Result<Answer, KuboError> {
        let Call { head, content, name, within } = call;
        let url = self.endpoint.url.clone();
        let answer = match tokio::time::timeout(within, self.request(head, content)).await {
            Err(_) => return Err(KuboError::Timeout { url, call: name, within }),
            Ok(Err(error)) => return Err(connection_error(url, name, &error)),
            Ok(Ok(answer)) => answer,
        };
        if answer.status() == StatusCode::OK && !is_framed(&answer) {
            let reason = "it does not say where it ends, so it may have been cut off: a proxy in front of the daemon, or another server, made it";
            return Err(KuboError::Broken { url, call: name, reason: reason.to_owned() });
        }
        let (parts, body) = answer.into_parts();
        let mut headers = http02::HeaderMap::new();
        for (key, value) in &parts.headers {
            if let (Ok(key), Ok(value)) = (
                http02::header::HeaderName::from_bytes(key.as_str().as_bytes()),
                http02::HeaderValue::from_bytes(value.as_bytes()),
            ) {
                headers.append(key, value);
            }
        }
        let answer = Answer { status: parts.status, headers, body, url, call: name, within };
        if answer.status == StatusCode::OK { Ok(answer) } else { Err(answer.into_error().await) }
    }
}

impl Call {
    /// What is asked for, as `pin/add`.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// Gives the daemon so much time before it says something.
    pub(crate) fn within(mut self, within: Duration) -> Call {
        self.within = within;
        self
    }
}

impl Answer {
    /// The body, piece by piece; an error where it is cut off, stalls, or says in a trailer that something went wrong.
    pub(crate) fn into_stream(self) -> BoxStream<Bytes, KuboError> {
        let Answer { body, url, call, within, .. } = self;
        let frames = stream::unfold(Some(body), move |body| {
            let url = url.clone();
            async move {
                let mut body = body?;
                let broken = |reason: String| KuboError::Broken { url: url.clone(), call, reason };
                loop {
                    let frame = match tokio::time::timeout(within, body.frame()).await {
                        Err(_) => return Some((Err(KuboError::Timeout { url, call, within }), None)),
                        Ok(None) => return None,
                        Ok(Some(Err(error))) => {
                            return Some((Err(broken(format!("it was cut off: {}", root_cause(&error)))), None));
                        }
                        Ok(Some(Ok(frame))) => frame,
                    };
                    match frame.into_data() {
                        Ok(data) if data.is_empty() => {}
                        Ok(data) => return Some((Ok(data), Some(body))),
                        Err(frame) => {
                            let error = frame.trailers_ref().and_then(|trailers| trailers.get(STREAM_ERROR));
                            if let Some(error) = error {
                                let message = shortened(String::from_utf8_lossy(error.as_bytes()));
                                return Some((Err(KuboError::Refused { url, call, message }), None));
                            }
                        }
                    }
                }
            }
        });
        Box::new(frames.boxed())
    }

    /// The whole body.
    pub(crate) async fn into_bytes(self) -> Result<Bytes, KuboError> {
        let too_large = KuboError::Broken {
            url: self.url.clone(),
            call: self.call,
            reason: format!("it has more than {MAX_ANSWER} bytes"),
        };
        let mut stream = self.into_stream();
        let mut bytes = Vec::new();
        while let Some(piece) = stream.try_next().await? {
            if bytes.len() + piece.len() > MAX_ANSWER {
                return Err(too_large);
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes.into())
    }

    /// What an answer means that is no success.
    async fn into_error(self) -> KuboError {
        let (url, call, status) = (self.url.clone(), self.call, self.status);
        if matches!(status, StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED) {
            return KuboError::Unauthorized { url, call };
        }
        let body = match self.into_bytes().await {
            Ok(body) => body,
            Err(error) => return error,
        };
        match serde_json::from_slice::<ApiError>(&body) {
            Ok(error) => KuboError::Refused { url, call, message: shortened(error.message) },
            // a proxy in front of it says so
            Err(_) if matches!(status.as_u16(), 502..=504) => {
                KuboError::Unreachable { url, reason: format!("a proxy in front of it answers {status}") }
            }
            Err(_) if status == StatusCode::INTERNAL_SERVER_ERROR => {
                let message = format!("{status}: {}", shortened(String::from_utf8_lossy(&body)));
                KuboError::Refused { url, call, message }
            }
            Err(_) => KuboError::NotKubo { url, reason: format!("it answers `{call}` with {status}") },
        }
    }
}

/// `/pin/add` is `pin/add`.
fn name_of(path: &'static str) -> &'static str {
    path.trim_start_matches('/')
}

/// A line that ends a file in a request. Nobody can know it beforehand: who could, would store a block with it, which could then never
/// be sent, nor anything behind it.
fn boundary() -> Result<String, getrandom::Error> {
    let mut random = [0; 16];
    getrandom::fill(&mut random)?;
    Ok(format!("debros-{:032x}", u128::from_be_bytes(random)))
}

/// Whether where the body ends is said otherwise than by the end of the connection, which a cut looks like.
fn is_framed(answer: &Response<Incoming>) -> bool {
    let headers = answer.headers();
    answer.version() >= Version::HTTP_11
        && (headers.contains_key(header::TRANSFER_ENCODING) || headers.contains_key(header::CONTENT_LENGTH))
}

fn body_of(pieces: Vec<Bytes>) -> Body {
    let frames = pieces.into_iter().filter(|piece| !piece.is_empty()).map(|piece| Ok(Frame::data(piece)));
    StreamBody::new(stream::iter(frames)).boxed_unsync()
}

/// Whether a connection was there and ended before an answer came: not one on which something came that is no HTTP.
fn is_lost(error: &hyper_util::client::legacy::Error) -> bool {
    let connecting = error.is_connect();
    let (mut cause, mut http): (Option<&dyn std::error::Error>, Option<&hyper::Error>) = (Some(error), None);
    while let Some(error) = cause {
        if error.is::<std::io::Error>() {
            return !connecting;
        }
        http = error.downcast_ref().or(http);
        cause = error.source();
    }
    !connecting
        && http.is_none_or(|http| {
            http.is_incomplete_message() || http.is_closed() || http.is_canceled() || http.is_body_write_aborted()
        })
}

/// Whether it is one of TLS, however deep below errors of input and output.
fn is_tls(error: &(dyn std::error::Error + 'static)) -> bool {
    // such an error has what is in it as itself, not as its source
    let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    let inner = inner.map(|inner| inner as &(dyn std::error::Error + 'static)).or_else(|| error.source());
    error.is::<rustls::Error>() || inner.is_some_and(is_tls)
}

/// Why no answer began.
fn connection_error(url: String, call: &'static str, error: &hyper_util::client::legacy::Error) -> KuboError {
    let reason = root_cause(error);
    // a failed handshake is a failed connection to hyper
    if is_tls(error) {
        return KuboError::Tls { url, reason };
    }
    if error.is_connect() {
        return KuboError::Unreachable { url, reason };
    }
    match is_lost(error) {
        true => KuboError::Unreachable { url, reason: format!("the connection was lost during `{call}`: {reason}") },
        false => KuboError::NotKubo { url, reason: format!("what it says to `{call}` is not HTTP: {reason}") },
    }
}

impl From<ApiError> for KuboError {
    fn from(error: ApiError) -> KuboError {
        KuboError::Refused { url: "the address given".to_owned(), call: ANY_CALL, message: shortened(error.message) }
    }
}

impl From<ipfs_api_prelude::Error> for KuboError {
    fn from(error: ipfs_api_prelude::Error) -> KuboError {
        KuboError::Broken { url: "the address given".to_owned(), call: ANY_CALL, reason: shortened(error) }
    }
}

#[async_trait]
impl Backend for PooledBackend {
    type HttpRequest = Call;
    type HttpResponse = Answer;
    type Error = KuboError;

    fn build_base_request<R: ApiRequest>(
        &self,
        request: R,
        form: Option<multipart::Form<'static>>,
    ) -> Result<Call, KuboError> {
        let Some(form) = form else { return self.call(&request) };
        let content = form.content_type();
        let pieces = multipart::Body::from(form);
        let pieces =
            pieces.map_ok(|piece| Frame::data(piece.freeze())).map_err(|error| std::io::Error::other(error).into());
        self.call_with(&request, Content::Stream(StreamBody::new(pieces).boxed_unsync()), Some(content))
    }

    fn get_header(answer: &Answer, key: http02::header::HeaderName) -> Option<&http02::HeaderValue> {
        answer.headers.get(key)
    }

    async fn request_raw<R: ApiRequest>(
        &self,
        request: R,
        form: Option<multipart::Form<'static>>,
    ) -> Result<(http02::StatusCode, Bytes), KuboError> {
        let call = self.build_base_request(request, form)?;
        Ok((http02::StatusCode::OK, self.send(call).await?.into_bytes().await?))
    }

    fn response_to_byte_stream(answer: Answer) -> BoxStream<Bytes, KuboError> {
        answer.into_stream()
    }

    fn request_stream<T, F>(&self, call: Call, process: F) -> BoxStream<T, KuboError>
    where
        F: 'static + Send + Fn(Answer) -> BoxStream<T, KuboError>,
    {
        let backend = self.clone();
        let answer = async move { backend.send(call).await }.boxed();
        Box::new(stream::once(answer).map_ok(process).try_flatten())
    }

    fn with_credentials<U: Into<String>, P: Into<String>>(self, user: U, password: P) -> PooledBackend {
        self.with_basic(&user.into(), &password.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_files_end_with_the_same_line() {
        let (one, other) = (boundary().unwrap(), boundary().unwrap());
        assert_ne!(one, other);
        assert_eq!(one.len(), 39);
    }
}

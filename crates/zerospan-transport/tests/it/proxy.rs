//! Proxies: which one a request goes through, and how.

use crate::collector::{Authority, Collector};
use crate::support::{BODY, from, request, try_send};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use zerospan_core::dev;
use zerospan_transport::{Connect, OtlpConfig, Protocol, SendErrorKind, Signal};

/// A proxy that forwards requests in `absolute-form`, as RFC 9112 asks, and opens tunnels.
struct Proxy {
    address: SocketAddr,
    /// The request lines, with the value of `Proxy-Authorization`.
    lines: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    fn start() -> Self {
        Self::asking(None)
    }

    /// Starts a proxy that asks for these credentials.
    fn asking(credentials: Option<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&lines);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let lines = Arc::clone(&kept);
                std::thread::spawn(move || {
                    // Either side may end the connection in any way.
                    let _ = serve(&stream.unwrap(), credentials, &lines);
                });
            }
        });
        Self { address, lines }
    }

    fn lines(&self) -> Vec<String> {
        std::mem::take(&mut self.lines.lock().unwrap())
    }
}

fn serve(client: &TcpStream, asked: Option<&str>, lines: &Mutex<Vec<String>>) -> io::Result<()> {
    let mut from_client = BufReader::new(client.try_clone()?);
    let mut to_client = client.try_clone()?;
    let mut server: Option<TcpStream> = None;
    loop {
        let (mut line, mut head, mut given, mut length) = (String::new(), String::new(), None, 0);
        if from_client.read_line(&mut line)? == 0 {
            return Ok(());
        }
        loop {
            let mut field = String::new();
            from_client.read_line(&mut field)?;
            let Some((name, value)) = field.trim_end().split_once(':') else {
                break;
            };
            match name.to_ascii_lowercase().as_str() {
                "proxy-authorization" => given = Some(value.trim().to_owned()),
                "content-length" => length = value.trim().parse().unwrap(),
                _ => {}
            }
            if !name.to_ascii_lowercase().starts_with("proxy-") {
                head.push_str(&field);
            }
        }
        let shown = given.as_deref().unwrap_or("-");
        lines
            .lock()
            .unwrap()
            .push(format!("{} {shown}", line.trim_end()));
        let mut body = vec![0; length];
        from_client.read_exact(&mut body)?;
        let mut parts = line.split(' ');
        let (method, target) = (parts.next().unwrap(), parts.next().unwrap());
        if given.as_deref() != asked {
            to_client.write_all(
                b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n",
            )?;
            continue;
        }
        if method == "CONNECT" {
            let server = TcpStream::connect(target)?;
            to_client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
            let (mut up, mut down) = (server.try_clone()?, server);
            std::thread::spawn(move || {
                let _ = io::copy(&mut down, &mut to_client);
                let _ = to_client.shutdown(Shutdown::Both);
            });
            io::copy(&mut from_client, &mut up)?;
            return up.shutdown(Shutdown::Both);
        }
        let Some(rest) = target.strip_prefix("http://") else {
            to_client.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")?;
            continue;
        };
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let server = match &mut server {
            Some(server) => server,
            none => none.insert(TcpStream::connect(host)?),
        };
        write!(server, "{method} {path} HTTP/1.1\r\n{head}\r\n")?;
        server.write_all(&body)?;
        // The collector's responses are short.
        let mut response = vec![0; 64 << 10];
        let read = server.read(&mut response)?;
        to_client.write_all(&response[..read])?;
    }
}

/// The settings of a process with this endpoint and these variables.
fn config(endpoint: &str, vars: &[(&str, &str)]) -> OtlpConfig {
    let endpoint = [("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", endpoint)];
    let (config, errors) = from(&[&endpoint[..], vars].concat());
    assert_eq!(errors, []);
    config
}

#[test]
fn http_goes_through_the_proxy_as_absolute_form() {
    let collector = Collector::start(Protocol::HttpProtobuf);
    let (proxy, other) = (Proxy::start(), Proxy::start());
    let (url, other_url) = (
        format!("http://{}", proxy.address),
        other.address.to_string(),
    );
    let endpoint = format!("http://{}/v1/traces?tenant=1", collector.address);
    let vars = [
        ("http_proxy", url.as_str()),
        ("HTTPS_PROXY", &other_url),
        ("HTTP_PROXY", &other_url),
        ("ALL_PROXY", &other_url),
    ];
    let connector = config(&endpoint, &vars).connector(Signal::Traces).unwrap();
    let mut transport = connector.connect().unwrap();
    for _ in 0..3 {
        transport.send(&request()).unwrap();
    }
    let line = format!("POST {endpoint} HTTP/1.1 -");
    assert_eq!(proxy.lines(), [line.as_str(); 3]);
    assert_eq!(other.lines(), [""; 0]);
    assert_eq!(collector.requests(), [BODY; 3]);
    assert_eq!(collector.connections(), 1);
    let head = collector.heads().remove(0).to_lowercase();
    assert!(head.starts_with("post /v1/traces?tenant=1 "), "{head}");
    assert!(
        head.contains(&format!("host: {}\r\n", collector.address)),
        "{head}"
    );
}

#[test]
fn a_request_larger_than_every_buffer_is_forwarded_whole() {
    let collector = Collector::start(Protocol::HttpProtobuf);
    let proxy = Proxy::start();
    let url = proxy.address.to_string();
    let config = config(
        &format!("http://{}/", collector.address),
        &[("all_proxy", &url)],
    )
    .with_header("filler", &"x".repeat(100_000));
    let body = vec![7; 1 << 20];
    let mut large = request();
    large.body = (&body).into();
    let connector = config.connector(Signal::Traces).unwrap();
    connector.connect().unwrap().send(&large).unwrap();
    assert!(collector.requests() == [body]);
}

#[test]
fn https_goes_through_a_tunnel() {
    let authority = Authority::new();
    let collector = Collector::with_tls(Protocol::HttpProtobuf, &authority, false);
    let proxy = Proxy::start();
    let url = proxy.address.to_string();
    let endpoint = format!("https://localhost:{}/v1/traces", collector.address.port());
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        let config = config(&endpoint, &[(name, &url)]).with_certificate_pem(&*authority.pem);
        try_send(&config).unwrap();
        let target = format!("localhost:{}", collector.address.port());
        assert_eq!(
            proxy.lines(),
            [format!("CONNECT {target} HTTP/1.1 -")],
            "{name}"
        );
    }
    let config = config(&endpoint, &[("http_proxy", &url)]).with_certificate_pem(&*authority.pem);
    try_send(&config).unwrap();
    assert_eq!(proxy.lines(), [""; 0]);
    assert_eq!(collector.requests().len(), 5);
}

#[test]
fn a_proxy_gets_the_credentials_of_its_url_and_no_one_else_does() {
    let authority = Authority::new();
    let plain = Collector::start(Protocol::HttpProtobuf);
    let secure = Collector::with_tls(Protocol::HttpProtobuf, &authority, false);
    let basic = "Basic dXNlcjpwOnc=";
    let proxy = Proxy::asking(Some(basic));
    let with = format!("http://user:p%3Aw@{}", proxy.address);
    let without = format!("http://{}", proxy.address);
    for (collector, scheme) in [(&plain, "http"), (&secure, "https")] {
        let endpoint = format!("{scheme}://localhost:{}/", collector.address.port());
        let config =
            |url| config(&endpoint, &[("ALL_PROXY", url)]).with_certificate_pem(&*authority.pem);
        try_send(&config(&with)).unwrap();
        let lines = proxy.lines();
        assert!(lines.len() == 1 && lines[0].ends_with(basic), "{lines:?}");
        let head = collector.heads().remove(0).to_lowercase();
        assert!(!head.contains("authorization"), "{head}");
        let error = try_send(&config(&without)).unwrap_err();
        assert!(error.message.contains("407"), "{error}");
        assert!(error.message.contains(&without), "{error}");
        let connector = config(&with).connector(Signal::Traces).unwrap();
        let text = format!("{:?} {connector:?} {error:?}", config(&with));
        assert!(
            !text.contains("p%3Aw") && !text.contains("dXNlcj"),
            "{text}"
        );
        proxy.lines();
    }
}

#[test]
fn no_proxy_names_hosts_with_blanks_and_networks() {
    let collector = Collector::start(Protocol::HttpProtobuf);
    let proxy = Proxy::start();
    let url = proxy.address.to_string();
    let port = collector.address.port();
    for (list, host, direct) in [
        ("localhost, 127.0.0.1", "127.0.0.1", true),
        ("localhost, 127.0.0.1", "localhost", true),
        ("10.0.0.0/8, 127.0.0.0/8", "127.0.0.1", true),
        ("*", "127.0.0.1", true),
        ("example.com", "127.0.0.1", false),
        // Loopback is no exception, as with curl.
        ("", "127.0.0.1", false),
    ] {
        for name in ["no_proxy", "NO_PROXY"] {
            let vars = [("http_proxy", url.as_str()), (name, list)];
            try_send(&config(&format!("http://{host}:{port}/"), &vars)).unwrap();
            assert_eq!(proxy.lines().is_empty(), direct, "{list} for {host}");
        }
    }
}

#[test]
fn nothing_is_sent_around_a_proxy_that_cannot_be_used() {
    let collector = Collector::start(Protocol::HttpProtobuf);
    let endpoint = format!("http://{}/", collector.address);
    for proxy in [
        "socks5://user:hunter2@proxy:1",
        "http://user:hunter2@proxy:99999",
    ] {
        let config = config(&endpoint, &[("ALL_PROXY", proxy)]);
        let error = try_send(&config).unwrap_err();
        assert_eq!(error.kind, SendErrorKind::Unreachable);
        assert!(error.message.starts_with("ALL_PROXY cannot be"), "{error}");
        assert!(!error.message.contains("hunter2"), "{error}");
    }
    assert_eq!(collector.calls(), 0);
}

#[test]
fn a_proxy_of_the_process_is_used_with_settings_in_code_too() {
    const ENDPOINT: &str = "ZEROSPAN_TEST_ENDPOINT";
    let Some(mut command) = dev::own_process() else {
        let endpoint = std::env::var(ENDPOINT).unwrap();
        try_send(&OtlpConfig::new().with_endpoint(endpoint)).unwrap();
        return;
    };
    let collector = Collector::start(Protocol::HttpProtobuf);
    let proxy = Proxy::start();
    let ran = command
        .env(ENDPOINT, format!("http://{}/", collector.address))
        .env("http_proxy", proxy.address.to_string())
        .env_remove("no_proxy")
        .env_remove("NO_PROXY")
        .output()
        .unwrap();
    assert!(
        ran.status.success(),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    assert_eq!((proxy.lines().len(), collector.calls()), (1, 1));
}

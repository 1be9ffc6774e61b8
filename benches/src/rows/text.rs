//! Texts that are formatted in place, with `core::fmt` and in pieces.

use super::http::context;
use super::otlp::{Buffer, begin, finish};
use crate::comparison::{Budget, Comparison, Row};
use std::hint::black_box;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use zerospan_otlp::{SpanRecorder, static_keys};
use zerospan_stack::Text;

pub(super) const ROWS: &[Row] = &[Row {
    id: "otlp.text",
    peer: "a text with numbers or addresses, in spans of 8, through set_fmt",
    ours: "the same text in pieces, through set_text_with",
    budget: Budget::AtLeast(1.7),
    allocations: Some(0.0),
    prepare: texts,
}];

static_keys! {
    CLIENT = "client.address";
    PEER = "network.peer.address";
    SERVER = "server.socket";
    PATH = "url.path";
    ITEM = "cart.item";
    RANGE = "http.request.range";
    WAIT = "queue.wait";
    SHARD = "db.shard";
}

/// The values of a request.
struct Values {
    client: Ipv4Addr,
    peer: Ipv6Addr,
    server: SocketAddr,
    user: u64,
    item: u32,
    length: u64,
    wait: f64,
}

impl Values {
    fn new() -> Self {
        black_box(Self {
            client: Ipv4Addr::new(203, 0, 113, 142),
            peer: Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0x8a2e, 0x370, 0x7334),
            server: SocketAddr::from(([192, 0, 2, 1], 8443)),
            user: 1_000_042,
            item: 7,
            length: 65_536,
            wait: 0.25,
        })
    }
}

fn texts() -> Comparison {
    let (peer, ours) = (Buffer::default(), Buffer::default());
    let (mut formatted, mut written) = (SpanRecorder::new(), SpanRecorder::new());
    Comparison::new(
        8,
        move || {
            begin(&mut formatted, &context(1));
            set_fmt(&mut formatted, &Values::new());
            finish(&mut formatted, &peer)
        },
        move || {
            begin(&mut written, &context(1));
            set_text(&mut written, &Values::new());
            finish(&mut written, &ours)
        },
        |peer: Buffer, ours: Buffer| {
            if *peer.borrow() == *ours.borrow() {
                Ok(())
            } else {
                Err("the two spans differ in bytes".to_owned())
            }
        },
    )
}

fn set_fmt(span: &mut SpanRecorder, values: &Values) {
    let Values {
        client,
        peer,
        server,
        user,
        item,
        length,
        wait,
    } = values;
    span.set_fmt(&CLIENT, format_args!("{client}"));
    span.set_fmt(&PEER, format_args!("{peer}"));
    span.set_fmt(&SERVER, format_args!("{server}"));
    span.set_fmt(&PATH, format_args!("/users/{user}/orders"));
    span.set_fmt(&ITEM, format_args!("item {item} of {user}"));
    span.set_fmt(&RANGE, format_args!("bytes {user}-{length}/{user}"));
    span.set_fmt(&WAIT, format_args!("{wait} s"));
    span.set_fmt(&SHARD, format_args!("shard-{item}"));
}

fn set_text(span: &mut SpanRecorder, values: &Values) {
    let Values {
        client,
        peer,
        server,
        user,
        item,
        length,
        wait,
    } = values;
    span.set_text_with(&CLIENT, |text| client.write_to(text));
    span.set_text_with(&PEER, |text| peer.write_to(text));
    span.set_text_with(&SERVER, |text| server.write_to(text));
    span.set_text_with(&PATH, |text| ("/users/", user, "/orders").write_to(text));
    span.set_text_with(&ITEM, |text| ("item ", item, " of ", user).write_to(text));
    span.set_text_with(&RANGE, |text| {
        ("bytes ", user, '-', length, '/', user).write_to(text)
    });
    span.set_text_with(&WAIT, |text| (wait, " s").write_to(text));
    span.set_text_with(&SHARD, |text| ("shard-", item).write_to(text));
}

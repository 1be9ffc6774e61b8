use std::net::IpAddr;

/// Returns `true` if `list`, the value of `NO_PROXY`, names `host`, by the rules of curl's `Curl_check_noproxy`:
///
/// - `*` alone names every host.
/// - Entries are separated by commas or blanks. Empty ones name nothing.
/// - A name matches itself and the names below it, whatever the case, with or without a leading or a trailing dot.
/// - An address matches an equal address, and one with a prefix length (`10.0.0.0/8`, `fd00::/8`) the network.
/// - A name never matches an address. There are no ports and no other wildcards.
pub(super) fn names(list: &str, host: &str) -> bool {
    if list.trim() == "*" {
        return true;
    }
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let mut entries = list
        .split([',', ' ', '\t'])
        .filter(|entry| !entry.is_empty());
    match host.parse::<IpAddr>() {
        Ok(address) => entries.any(|entry| is_in(address, entry)),
        Err(_) => {
            let host = host.strip_suffix('.').unwrap_or(host);
            entries.any(|entry| is_below(host, entry))
        }
    }
}

fn is_below(host: &str, entry: &str) -> bool {
    let domain = entry.strip_suffix('.').unwrap_or(entry);
    let domain = domain.strip_prefix('.').unwrap_or(domain);
    if domain.is_empty() || host.len() < domain.len() {
        return false;
    }
    let (above, tail) = host.as_bytes().split_at(host.len() - domain.len());
    tail.eq_ignore_ascii_case(domain.as_bytes()) && (above.is_empty() || above.ends_with(b"."))
}

fn is_in(address: IpAddr, entry: &str) -> bool {
    let (network, bits) = match entry.split_once('/') {
        Some((network, bits)) => match bits.parse() {
            Ok(bits) => (network, Some(bits)),
            Err(_) => return false,
        },
        None => (entry, None),
    };
    let (address, network, width) = match (address, network.parse()) {
        (IpAddr::V4(address), Ok(IpAddr::V4(network))) => {
            let wide = |address: std::net::Ipv4Addr| u128::from(address.to_bits());
            (wide(address), wide(network), 32)
        }
        (IpAddr::V6(address), Ok(IpAddr::V6(network))) => {
            (address.to_bits(), network.to_bits(), 128)
        }
        _ => return false,
    };
    match bits {
        // As in curl, a length of zero is none.
        None | Some(0) => address == network,
        Some(bits) if bits > width => false,
        Some(bits) => (address ^ network) >> (width - bits) == 0,
    }
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn entries_are_matched_as_curl_matches_them() {
        for (list, host, expected) in [
            ("*", "collector", true),
            (" * ", "collector", true),
            ("*,x", "collector", false),
            ("", "collector", false),
            ("localhost, 127.0.0.1", "127.0.0.1", true),
            ("localhost, 127.0.0.1", "localhost", true),
            ("localhost,\t ,, collector", "collector", true),
            ("example.com", "example.com", true),
            ("example.com", "EXAMPLE.com.", true),
            ("example.com", "www.example.com", true),
            (".example.com", "www.example.com", true),
            (".example.com", "example.com", true),
            ("example.com.", "example.com", true),
            ("example.com", "nonexample.com", false),
            ("www.example.com", "example.com", false),
            ("*.example.com", "www.example.com", false),
            ("example.com:4318", "example.com", false),
            ("127.0.0.1", "[127.0.0.1]", true),
            ("127.0.0.1:4318", "127.0.0.1", false),
            ("10.0.0.0/8", "10.9.8.7", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.9.8.7/32", "10.9.8.7", true),
            ("10.9.8.7/0", "10.0.0.1", false),
            ("10.0.0.0/33", "10.0.0.0", false),
            ("10.0.0.0/x", "10.0.0.0", false),
            ("0.0.1", "127.0.0.1", false),
            ("::1", "[::1]", true),
            ("0:0::1", "[::1]", true),
            ("fd00::/8", "[fd12::1]", true),
            ("fd00::/8", "[fe80::1]", false),
            ("10.0.0.0/8", "[::a]", false),
        ] {
            assert_eq!(names(list, host), expected, "{list} for {host}");
        }
    }
}

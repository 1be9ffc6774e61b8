use crate::base::env::EnvResource;
use opentelemetry::{Key, KeyValue, Value};
use opentelemetry_sdk::Resource;

const SERVICE_NAME: &str = "service.name";

/// Builds a provider's resource: the user's, over the environment's, over the name of an unknown service.
///
/// `telemetry.sdk.*` name this project in any case, since a resource of the official SDK's builder names the official SDK. That
/// builder also takes `OTEL_RESOURCE_ATTRIBUTES` without decoding: such values are replaced by the decoded ones.
pub fn build(env: &EnvResource, given: Option<&Resource>) -> Resource {
    let mut builder =
        Resource::builder_empty().with_attribute(KeyValue::new(SERVICE_NAME, unknown_service()));
    for found in &env.attributes {
        builder = builder.with_attribute(found.attribute.clone());
    }
    if let Some(name) = &env.service_name {
        builder = builder.with_attribute(KeyValue::new(SERVICE_NAME, name.clone()));
    }
    if let Some(given) = given {
        let decoded = |key: &Key, value: &Value| {
            let found = env.attributes.iter().find(|found| {
                found.attribute.key == *key
                    && matches!(value, Value::String(text) if text.as_str() == found.raw)
            });
            KeyValue::new(
                key.clone(),
                found.map_or_else(|| value.clone(), |found| found.attribute.value.clone()),
            )
        };
        let attributes: Vec<KeyValue> = given
            .iter()
            .map(|(key, value)| decoded(key, value))
            .collect();
        builder = match given.schema_url() {
            Some(url) => builder.with_schema_url(attributes, url.to_owned()),
            None => builder.with_attributes(attributes),
        };
    }
    builder
        .with_attributes([
            KeyValue::new("telemetry.sdk.name", "zerospan"),
            KeyValue::new("telemetry.sdk.language", "rust"),
            KeyValue::new("telemetry.sdk.version", env!("CARGO_PKG_VERSION")),
        ])
        .build()
}

/// Merges `over` over `base` by the SDK's rules: its attributes have priority, and its schema URL if it has one.
pub fn merge(base: &Resource, over: &Resource) -> Resource {
    let mut builder = Resource::builder_empty();
    for resource in [base, over] {
        let attributes = resource
            .iter()
            .map(|(key, value)| KeyValue::new(key.clone(), value.clone()));
        builder = match resource.schema_url() {
            Some(url) => builder.with_schema_url(attributes, url.to_owned()),
            None => builder.with_attributes(attributes),
        };
    }
    builder.build()
}

fn unknown_service() -> String {
    let executable = std::env::current_exe().ok();
    match executable.as_deref().and_then(|path| path.file_name()) {
        Some(name) => format!("unknown_service:{}", name.to_string_lossy()),
        None => "unknown_service".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::env::EnvAttribute;

    fn env_of(service_name: Option<&str>, attributes: Vec<EnvAttribute>) -> EnvResource {
        EnvResource {
            service_name: service_name.map(str::to_owned),
            attributes,
        }
    }

    fn env(raw: &str, attribute: KeyValue) -> EnvAttribute {
        EnvAttribute {
            raw: raw.to_owned(),
            attribute,
        }
    }

    fn text(resource: &Resource, key: &'static str) -> String {
        resource
            .get(&Key::from_static_str(key))
            .map_or_else(String::new, |value| value.as_str().into_owned())
    }

    #[test]
    fn resource_names_this_project_and_an_unknown_service() {
        let resource = build(&EnvResource::default(), None);
        assert_eq!(text(&resource, "telemetry.sdk.name"), "zerospan");
        assert_eq!(text(&resource, "telemetry.sdk.language"), "rust");
        assert!(!text(&resource, "telemetry.sdk.version").is_empty());
        assert!(text(&resource, SERVICE_NAME).starts_with("unknown_service:"));
    }

    #[test]
    fn resource_of_the_code_has_priority_over_the_service_name_over_attributes() {
        let attributes = vec![
            env("a%20b", KeyValue::new(SERVICE_NAME, "a b")),
            env("h", KeyValue::new("host", "h")),
        ];
        let mut env = env_of(None, attributes);
        let resource = build(&env, None);
        assert_eq!(text(&resource, SERVICE_NAME), "a b");
        env.service_name = Some("named".to_owned());
        let resource = build(&env, None);
        assert_eq!(text(&resource, SERVICE_NAME), "named");
        let given = Resource::builder_empty()
            .with_attribute(KeyValue::new(SERVICE_NAME, "given"))
            .build();
        let resource = build(&env, Some(&given));
        assert_eq!(text(&resource, SERVICE_NAME), "given");
        assert_eq!(text(&resource, "host"), "h");
    }

    #[test]
    fn resource_keeps_the_schema_url_and_decodes_what_the_official_builder_did_not() {
        let given = Resource::builder_empty()
            .with_schema_url(
                [
                    KeyValue::new("team", "a%20b"),
                    KeyValue::new("telemetry.sdk.name", "opentelemetry"),
                ],
                "https://example.com/schema",
            )
            .build();
        let env = env_of(None, vec![env("a%20b", KeyValue::new("team", "a b"))]);
        let resource = build(&env, Some(&given));
        assert_eq!(text(&resource, "team"), "a b");
        assert_eq!(text(&resource, "telemetry.sdk.name"), "zerospan");
        assert_eq!(resource.schema_url(), Some("https://example.com/schema"));
    }
}

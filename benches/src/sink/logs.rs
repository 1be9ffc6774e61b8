//! Log records: the official exporter's work, and what is decoded in the end.

use super::{Kinds, OfficialExporter, without_own_name};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::transform::logs::tonic::group_logs_by_resource_and_scope;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{LogBatch, LogExporter};
use prost::Message;

impl LogExporter for OfficialExporter {
    async fn export(&self, batch: LogBatch<'_>) -> OTelSdkResult {
        let records = batch.iter().count() as u64;
        let resource_logs = group_logs_by_resource_and_scope(&batch, &self.resource);
        let request = ExportLogsServiceRequest { resource_logs };
        self.sink.receive(&request.encode_to_vec(), records);
        Ok(())
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.resource = resource.into();
    }
}

/// Returns the log records of `requests`, each with a description of its resource and scope.
pub fn decode_logs(requests: &[Vec<u8>]) -> Result<Vec<(String, LogRecord)>, String> {
    let mut records = Vec::new();
    for body in requests {
        let request =
            ExportLogsServiceRequest::decode(&**body).map_err(|error| error.to_string())?;
        for of_resource in request.resource_logs {
            let resource = of_resource.resource.map(without_own_name);
            for of_scope in of_resource.scope_logs {
                let origin = format!("{resource:?} {:?}", of_scope.scope);
                let with_origin = |record| (origin.clone(), record);
                records.extend(of_scope.log_records.into_iter().map(with_origin));
            }
        }
    }
    Ok(records)
}

/// Counts the log records of `requests` by what they say apart from times, which differ from run to run. `normalize`
/// removes further differences. A record without an observed time is an error.
pub fn count_log_kinds(
    requests: &[Vec<u8>],
    normalize: impl Fn(&mut LogRecord),
) -> Result<Kinds, String> {
    let mut kinds = Kinds::new();
    for (origin, mut record) in decode_logs(requests)? {
        if record.observed_time_unix_nano == 0 {
            return Err(format!("a record lacks its observed time: {record:?}"));
        }
        record.time_unix_nano = 0;
        record.observed_time_unix_nano = 0;
        normalize(&mut record);
        *kinds.entry(format!("{origin}: {record:?}")).or_default() += 1;
    }
    Ok(kinds)
}

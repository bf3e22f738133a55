//! How many processes a job has, and the variables by which they find each other.
//! <https://learn.microsoft.com/azure/machine-learning/how-to-train-distributed-gpu>

use std::net::TcpListener;

use serde::Serialize;

use super::reader::Reader;
use super::yaml::{Data, Node};

/// The most processes that are started.
const PROCESSES_MAX: u32 = 1024;
/// Where the processes of one machine find each other.
const ADDRESS: &str = "127.0.0.1";

/// The processes of a job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Distribution {
    /// One, which knows of no others.
    #[default]
    None,
    PyTorch(u32),
    Mpi(u32),
    TensorFlow {
        workers: u32,
        servers: u32,
    },
}

pub(super) fn read(reader: &mut Reader<'_>, node: &Node) -> Distribution {
    let Data::Map(entries) = &node.data else {
        reader.map(node, "distribution");
        return Distribution::None;
    };
    let Some(kind) = entries.iter().find(|it| it.key == "type") else {
        reader.wrong(node.at, "`distribution` has no `type`", "write pytorch, mpi or tensorflow");
        return Distribution::None;
    };
    let at = kind.value.at;
    let words = ["pytorch", "mpi", "tensorflow", "ray"];
    let Some(kind) = reader.word(&kind.value, "distribution.type", &words) else {
        return Distribution::None;
    };
    let known: &[&str] = match kind {
        "ray" => {
            let help = "submit it to the service; pytorch, mpi and tensorflow run here";
            reader.not_here(at, "the distribution is Ray's", help);
            return Distribution::None;
        }
        "tensorflow" => &["type", "worker_count", "parameter_server_count"],
        _ => &["type", "process_count_per_instance"],
    };
    let entries = reader.members(node, "distribution", known);
    let mut count = |key: &str, least, usual| {
        let entry = entries.iter().find(|it| it.key == key);
        let path = format!("distribution.{key}");
        entry.map_or(usual, |it| {
            reader.count(&it.value, &path, least, PROCESSES_MAX).unwrap_or(usual)
        })
    };
    match kind {
        "tensorflow" => Distribution::TensorFlow {
            workers: count("worker_count", 1, 1),
            servers: count("parameter_server_count", 0, 0),
        },
        "mpi" => Distribution::Mpi(count("process_count_per_instance", 1, 1)),
        _ => Distribution::PyTorch(count("process_count_per_instance", 1, 1)),
    }
}

/// Reads what the job asks of its nodes: there is one here.
pub(super) fn resources(reader: &mut Reader<'_>, node: &Node) {
    let known = [
        "instance_count",
        "instance_type",
        "properties",
        "locations",
        "shm_size",
        "max_instance_count",
        "docker_args",
    ];
    for entry in reader.members(node, "resources", &known) {
        match entry.key.as_str() {
            "instance_count" => {}
            "instance_type" | "shm_size" => {
                reader.text(&entry.value, &format!("resources.{}", entry.key));
                continue;
            }
            "max_instance_count" => {
                reader.count(&entry.value, "resources.max_instance_count", 0, u32::MAX);
                continue;
            }
            _ => continue,
        }
        let at = entry.value.at;
        let nodes = reader.count(&entry.value, "resources.instance_count", 1, u32::MAX);
        if let Some(nodes @ 2..) = nodes {
            let what = format!("the job asks for {nodes} nodes, and this is one");
            reader.not_here(at, &what, "add `--set resources.instance_count=1`");
        }
    }
}

impl Distribution {
    /// How many of the processes, the last ones, serve the others and need not end by themselves.
    pub(super) fn servers(self) -> usize {
        match self {
            Self::TensorFlow { servers, .. } => servers as usize,
            Self::None | Self::PyTorch(_) | Self::Mpi(_) => 0,
        }
    }

    /// The variables of each process, by its rank.
    pub(super) fn ranks(self) -> std::io::Result<Vec<Vec<(&'static str, String)>>> {
        match self {
            Self::None => Ok(vec![Vec::new()]),
            Self::PyTorch(count) => {
                let port = free_ports(1)?.first().copied().unwrap_or_default();
                Ok((0..count).map(|rank| pytorch(rank, count, port)).collect())
            }
            Self::Mpi(count) => {
                let port = free_ports(1)?.first().copied().unwrap_or_default();
                Ok((0..count).map(|rank| mpi(rank, count, port)).collect())
            }
            Self::TensorFlow { workers, servers } => tensorflow(workers, servers),
        }
    }
}

fn pytorch(rank: u32, count: u32, port: u16) -> Vec<(&'static str, String)> {
    vec![
        ("MASTER_ADDR", ADDRESS.to_owned()),
        ("MASTER_PORT", port.to_string()),
        ("WORLD_SIZE", count.to_string()),
        ("NODE_RANK", "0".to_owned()),
        ("RANK", rank.to_string()),
        ("LOCAL_RANK", rank.to_string()),
    ]
}

/// The variables of Open MPI, and of the service's nodes.
fn mpi(rank: u32, count: u32, port: u16) -> Vec<(&'static str, String)> {
    vec![
        ("OMPI_COMM_WORLD_SIZE", count.to_string()),
        ("OMPI_COMM_WORLD_RANK", rank.to_string()),
        ("OMPI_COMM_WORLD_LOCAL_SIZE", count.to_string()),
        ("OMPI_COMM_WORLD_LOCAL_RANK", rank.to_string()),
        ("OMPI_COMM_WORLD_NODE_RANK", rank.to_string()),
        ("AZ_BATCH_MASTER_NODE", format!("{ADDRESS}:{port}")),
        ("AZ_BATCHAI_MPI_MASTER_NODE", ADDRESS.to_owned()),
    ]
}

/// `TF_CONFIG`, in the order of its members.
#[derive(Serialize)]
struct Config<'a> {
    cluster: Cluster<'a>,
    task: Task,
    environment: &'a str,
}

#[derive(Serialize)]
struct Cluster<'a> {
    worker: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    ps: &'a [String],
}

#[derive(Serialize)]
struct Task {
    #[serde(rename = "type")]
    kind: &'static str,
    index: usize,
}

fn tensorflow(workers: u32, servers: u32) -> std::io::Result<Vec<Vec<(&'static str, String)>>> {
    let ports = free_ports((workers + servers) as usize)?;
    let all: Vec<_> = ports.iter().map(|port| format!("{ADDRESS}:{port}")).collect();
    let (worker, ps) = all.split_at((workers as usize).min(all.len()));
    let tasks = (0..worker.len()).map(|index| Task { kind: "worker", index });
    let tasks = tasks.chain((0..ps.len()).map(|index| Task { kind: "ps", index }));
    tasks
        .map(|task| {
            let config = Config { cluster: Cluster { worker, ps }, task, environment: "cloud" };
            Ok(vec![("TF_CONFIG", serde_json::to_string(&config)?)])
        })
        .collect()
}

/// Ports that nobody listens on now.
fn free_ports(count: usize) -> std::io::Result<Vec<u16>> {
    // All are open at once, so that they differ.
    let open: Vec<_> =
        (0..count).map(|_| TcpListener::bind((ADDRESS, 0))).collect::<Result<_, _>>()?;
    open.iter().map(|it| Ok(it.local_addr()?.port())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tensorflow_tells_each_task_of_all_the_others() {
        let ranks = Distribution::TensorFlow { workers: 2, servers: 1 }.ranks().unwrap();
        let mut clusters = Vec::new();
        for (rank, (kind, index)) in ranks.iter().zip([("worker", 0), ("worker", 1), ("ps", 0)]) {
            let config: serde_json::Value = serde_json::from_str(&rank.first().unwrap().1).unwrap();
            assert_eq!(config["task"], serde_json::json!({"type": kind, "index": index}));
            clusters.push(config["cluster"].clone());
        }
        assert_eq!(clusters.len(), 3);
        assert!(clusters.iter().all(|it| *it == clusters[0]));
        assert_eq!(clusters[0]["worker"].as_array().unwrap().len(), 2);
        let alone = Distribution::TensorFlow { workers: 1, servers: 0 }.ranks().unwrap();
        assert!(!alone.first().unwrap().first().unwrap().1.contains("ps"));
    }
}

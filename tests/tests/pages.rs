//! Every fenced block of every page does what the page says, as it is printed: commands run in a shell, in a local
//! Azure, with the built program in `PATH`; programs run with the package of their language. A block that is not
//! run says so in the line that opens it, after its language: `untested: REASON`.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use vaultlet_tests::sandbox::skipped;
use vaultlet_tests::{Ended, Run, library, root, target, vaultlet};

/// The value of every secret of the local Azure that is text.
const VALUE: &str = "correct horse battery staple";
/// Fewer blocks that run than this would mean that the suite has lost some.
const LEAST: usize = 26;

/// A fenced block of a page.
#[derive(Debug)]
struct Block {
    page: String,
    line: usize,
    language: String,
    /// Why the block is not run; empty when it is.
    untested: String,
    text: String,
}

/// All pages of the repository.
fn pages(folder: &Path, found: &mut Vec<PathBuf>) {
    const SKIPPED: [&str; 6] = ["target", "deps", "node_modules", ".git", "cases", "golden"];
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && !path.is_symlink() && !SKIPPED.contains(&name.as_str()) {
            pages(&path, found);
        } else if name.ends_with(".md") {
            found.push(path);
        }
    }
}

fn blocks() -> Vec<Block> {
    let mut found = Vec::new();
    pages(&root(), &mut found);
    found.sort();
    let mut blocks = Vec::new();
    for path in found {
        let text = fs::read_to_string(&path).unwrap();
        let page = path.strip_prefix(root()).unwrap().display().to_string();
        let mut open: Option<Block> = None;
        for (at, line) in text.lines().enumerate() {
            match (line.strip_prefix("```"), &mut open) {
                (Some(info), None) => {
                    let (language, rest) = info.split_once(' ').unwrap_or((info, ""));
                    let untested = rest.strip_prefix("untested: ").unwrap_or_default();
                    assert!(rest.is_empty() || !untested.is_empty(), "{page}:{}: {info}", at + 1);
                    open = Some(Block {
                        page: page.clone(),
                        line: at + 1,
                        language: language.to_owned(),
                        untested: untested.to_owned(),
                        text: String::new(),
                    });
                }
                (Some(_), Some(_)) => blocks.extend(open.take()),
                (None, Some(block)) => block.text.extend([line, "\n"]),
                (None, None) => {}
            }
        }
        assert!(open.is_none(), "{page}: a block is not closed");
    }
    blocks
}

/// A folder like a user's, with what the pages name.
struct Place {
    folder: tempfile::TempDir,
    path: String,
}

impl Place {
    fn new() -> Self {
        let program = vaultlet().parent().unwrap().to_owned();
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["host", "guest", "tests", "wit"] {
            symlink(root().join(name), at(name)).unwrap();
        }
        symlink(target(), at("target")).unwrap();
        fs::create_dir(at("bin")).unwrap();
        let python = Run::program("sh").arguments(["-c", "command -v python3"]).end();
        if python.code == 0 {
            symlink(python.stdout.trim(), at("bin/python")).unwrap();
        }
        let job = "import os, subprocess\n\
            assert os.environ.get('DB_PASSWORD') or os.environ.get('IDENTITY_ENDPOINT') or os.environ['MSI_ENDPOINT']\n";
        for name in ["job.py", "train.py"] {
            fs::write(at(name), job).unwrap();
        }
        fs::write(at("secrets.json"), r#"{"db-password":"x"}"#).unwrap();
        // The folder of a job, and the file that the page about jobs begins with.
        fs::create_dir(at("src")).unwrap();
        fs::write(at("src/train.py"), job).unwrap();
        symlink(vaultlet(), at("src/vaultlet")).unwrap();
        let page = fs::read_to_string(root().join("host/cli/JOBS.md")).unwrap();
        let yaml = page.split("\n```yaml").nth(1).and_then(|it| it.split_once('\n'));
        fs::write(at("job.yml"), yaml.unwrap().1.split("\n```").next().unwrap()).unwrap();
        Self::packages(folder.path());
        let path = std::env::var("PATH").unwrap_or_default();
        let path = format!("{}:{}:{path}", at("bin").display(), program.display());
        Self { folder, path }
    }

    /// The packages for Python and Node, as their users have them, from the built libraries.
    fn packages(folder: &Path) {
        let built = library().parent().unwrap();
        let copy = |from: &Path, to: &Path| {
            let status = Command::new("cp").arg("-RL").arg(from).arg(to).status();
            assert!(status.unwrap().success(), "{from:?}");
        };
        // The loader looks for the name that the library gives itself.
        symlink(library(), folder.join("libvaultlet.so.1")).unwrap();
        let python = folder.join("python");
        fs::create_dir(&python).unwrap();
        copy(&root().join("host/python/python/vaultlet"), &python);
        copy(&built.join("lib_vaultlet.so"), &python.join("vaultlet/_vaultlet.abi3.so"));
        let node = folder.join("node_modules/vaultlet");
        fs::create_dir_all(&node).unwrap();
        for name in ["package.json", "index.mjs", "index.cjs", "azure.mjs", "azure.cjs", "lib"] {
            copy(&root().join("host/node").join(name), &node);
        }
        let arch = if cfg!(target_arch = "aarch64") { "arm64" } else { "x64" };
        let addon = folder.join(format!("node_modules/@vaultlet/linux-{arch}-gnu"));
        fs::create_dir_all(&addon).unwrap();
        copy(&built.join("libvaultlet_node.so"), &addon.join("vaultlet.node"));
        fs::write(addon.join("package.json"), r#"{"main":"vaultlet.node"}"#).unwrap();
        copy(&root().join("host/node/examples/job.mjs"), folder);
    }

    /// Runs a program in a local Azure.
    fn run(&self, program: &[&str]) -> Ended {
        Run::program("timeout")
            .arguments(["120", vaultlet().to_str().unwrap(), "dev", "--vault", "my-key-vault"])
            .arguments(
                ["db-password", "hub-token", "key", "api-key"]
                    .map(|name| format!("--seed={name}={VALUE}")),
            )
            .arguments([&format!(r#"--seed=db={{"user":"{VALUE}"}}"#), "--as=user", "--"])
            .arguments(["env", "-C", self.folder.path().to_str().unwrap()])
            .arguments(program)
            .environment([
                ("PATH", self.path.as_str()),
                ("PYTHONPATH", self.folder.path().join("python").to_str().unwrap()),
                ("PYTHONDONTWRITEBYTECODE", "1"),
                ("SHELL", "true"),
            ])
            .end()
    }

    /// Runs a block, and returns what went wrong, or none where its language is not run here.
    fn check(&self, block: &Block) -> Option<Result<(), String>> {
        let file = |ending: &str, text: &str| {
            let name = format!("{}-{}.{ending}", block.page.replace(['/', '.'], "_"), block.line);
            fs::write(self.folder.path().join(&name), text).unwrap();
            name
        };
        let text = block.text.as_str();
        let tool = match block.language.as_str() {
            "python" => "python3",
            "js" => "node",
            "cpp" => "c++",
            "c" => "cc",
            _ => ["wasmtime", "curl", "node", "python"]
                .into_iter()
                .find(|tool| text.contains(&format!("{tool} ")) && !self.has(tool))
                .unwrap_or("sh"),
        };
        if !self.has(tool) {
            skipped("pages", &format!("`{tool}` is not there for {}:{}", block.page, block.line));
            return None;
        }
        let ends = match block.language.as_str() {
            "sh" => ["sh", "bash"].map(|shell| self.run(&[shell, "-euc", text])).into(),
            "console" => {
                let mut lines = text.lines();
                let command = lines.next().and_then(|line| line.strip_prefix("$ ")).unwrap();
                let mut ended = self.run(&["sh", "-euc", command]);
                if ended.stdout.trim_end() != lines.collect::<Vec<_>>().join("\n") {
                    ended.code = -1;
                }
                vec![ended]
            }
            "python" => vec![self.run(&["python3", "-c", PYTHON, text])],
            "js" => {
                let imports = if text.contains("import ") { "" } else { NODE_IMPORTS };
                let name = file("mjs", &format!("{imports}{NODE}{text}"));
                vec![self.run(&["node", &name])]
            }
            "c" => vec![self.compiled("cc", &file("c", &format!("{C}{text}")))],
            "cpp" => {
                let (include, rest) = text.split_once("\n\n").unwrap();
                let name = file("cpp", &format!("{include}\n{CPP}int main() {{\n{rest}}}\n"));
                vec![self.compiled("c++", &name)]
            }
            _ => return None,
        };
        for ended in ends {
            ended.reveals_none_of(&[VALUE], false);
            if ended.code != 0 {
                return Some(Err(format!("{}:{}: {ended:?}", block.page, block.line)));
            }
        }
        Some(Ok(()))
    }

    fn has(&self, tool: &str) -> bool {
        let found = Run::program("sh").arguments(["-c", &format!("command -v {tool}")]);
        found.environment([("PATH", &self.path)]).end().code == 0
    }

    fn compiled(&self, compiler: &str, file: &str) -> Ended {
        let built = library().parent().unwrap().display().to_string();
        let here = self.folder.path().display();
        let ended = Run::program(compiler)
            .arguments(["-Wno-unused", "-I"])
            .arguments([root().join("host/ffi")])
            .arguments(["-x", if compiler == "cc" { "c" } else { "c++" }])
            .arguments([self.folder.path().join(file)])
            .arguments(["-L", &built, &format!("-Wl,-rpath,{here}"), "-lvaultlet", "-o"])
            .arguments([self.folder.path().join(format!("{file}.program"))])
            .end();
        if ended.code == 0 { self.run(&[&format!("./{file}.program")]) } else { ended }
    }
}

/// What a block of a language may take for granted: the rest of the program that it is a part of.
const PYTHON: &str = "\
import ast, asyncio, inspect, sys, vaultlet
names = {'vaultlet': vaultlet, 'sys': sys, 'connect': lambda host, password: None}
code = compile(sys.argv[1], 'page', 'exec', ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
running = eval(code, names)
inspect.iscoroutine(running) and asyncio.run(running)
";
const NODE_IMPORTS: &str = "import { DeniedError, Vaultlet, get, getMany, list, plan, token, whoami } from \"vaultlet\";\n";
const NODE: &str = "\
const connect = (host, password) => {};
const reference = \"akv://my-key-vault/db-password\", clientId = process.env.DEFAULT_IDENTITY_CLIENT_ID;
const url = \"https://data.blob.core.windows.net\";
class BlobServiceClient { constructor(url, credential) { if (!credential.getToken) throw new Error(\"no credential\"); } }
";
const C: &str = "static void connect_to(const char *host, const char *password) { (void)host, (void)password; }\n";
const CPP: &str = "\
static void connect(const char *, std::string_view) {}
template <typename Id> static int fail(Id) { return 1; }
";

#[test]
fn every_block_runs_as_it_is_printed() {
    let (place, blocks) = (Place::new(), blocks());
    let (next, run) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(block) = blocks.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if !block.untested.is_empty() {
                        continue;
                    }
                    match place.check(block) {
                        Some(Ok(())) => _ = run.fetch_add(1, Ordering::Relaxed),
                        Some(Err(what)) => wrong.lock().unwrap().push(what),
                        None => {}
                    }
                }
            });
        }
    });
    let (wrong, run) = (wrong.into_inner().unwrap(), run.into_inner());
    println!("{run} blocks run");
    assert!(wrong.is_empty(), "{} of {} blocks:\n{}", wrong.len(), blocks.len(), wrong.join("\n"));
    assert!(run >= LEAST, "{run}");
}

/// Languages that are data, or that other tests compile from the page.
#[test]
fn every_block_is_run_or_says_why_not() {
    for Block { page, line, language, untested, text } in blocks() {
        let is_run = ["sh", "console", "python", "js", "c", "cpp"].contains(&language.as_str());
        let is_doctest = language == "rust"
            && ["guest/core/README.md", "host/dev/README.md"].contains(&page.as_str());
        let is_data = ["text", "toml", "xml"].contains(&language.as_str());
        assert!(
            is_run || is_doctest || is_data || untested.len() > 10,
            "{page}:{line}: a block of `{language}` is not run, and does not say why"
        );
        if language == "toml" {
            assert!(
                toml::from_str::<toml::Table>(&text).is_ok() || text.contains('<'),
                "{page}:{line}"
            );
        }
    }
}

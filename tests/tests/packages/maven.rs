//! The folder of the jar is a repository of Maven's: complete as Maven Central wants it, and one line in a project's file.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use tempfile::TempDir;
use vaultlet_tests::sandbox::{in_namespace, skipped};
use vaultlet_tests::{Run, root, succeeds, target};

use super::{VERSION, part};

/// A project as its user writes it, without the plugins' versions.
const PROJECT: &str = "<project xmlns='http://maven.apache.org/POM/4.0.0'><modelVersion>4.0.0</modelVersion>
<groupId>job</groupId><artifactId>job</artifactId><version>1</version>
<properties>
<maven.compiler.release>17</maven.compiler.release><project.build.sourceEncoding>UTF-8</project.build.sourceEncoding>
</properties>
<repositories>
<repository><id>vaultlet</id><url>FOLDER</url><releases><checksumPolicy>fail</checksumPolicy></releases></repository>
</repositories>
<dependencies>
<dependency><groupId>dev.vaultlet</groupId><artifactId>vaultlet</artifactId><version>VERSION</version></dependency>
</dependencies>
<build><plugins>PLUGINS</plugins></build></project>
";

#[test]
fn each_file_of_the_repository_has_four_checksums() {
    let Some(packages) = part("java") else { return };
    let folder = packages.join("dev/vaultlet/vaultlet");
    let files = [".jar", ".pom", "-sources.jar", "-javadoc.jar"];
    let mut files = files.map(|kind| format!("{VERSION}/vaultlet-{VERSION}{kind}")).to_vec();
    files.push("maven-metadata.xml".into());
    for file in &files {
        for kind in ["md5", "sha1", "sha256", "sha512"] {
            let expected =
                succeeds(Command::new(format!("{kind}sum")).arg(folder.join(file))).stdout;
            let sum = fs::read_to_string(folder.join(format!("{file}.{kind}"))).unwrap();
            assert_eq!(expected.split(' ').next(), Some(sum.trim()), "{file}.{kind}");
        }
    }
    let listed = |kind: &str| {
        let jar = folder.join(files[0].replace(".jar", kind));
        succeeds(Command::new("jar").arg("--list").arg("--file").arg(jar)).stdout
    };
    assert!(listed("-sources.jar").contains("dev/vaultlet/Vaultlet.java\n"));
    assert!(listed("-javadoc.jar").contains("dev/vaultlet/Vaultlet.html\n"));
    let pom = fs::read_to_string(folder.join(&files[1])).unwrap();
    for field in ["name", "description", "url", "licenses", "developers", "scm"] {
        assert!(pom.contains(&format!("<{field}>")), "{field}");
    }
}

/// Without a network: what is missing in the folder is found nowhere.
#[test]
fn one_line_leads_maven_to_the_repository() {
    let Some(packages) = part("java") else { return };
    let project = TempDir::new().unwrap();
    let sources = project.path().join("src/main/java");
    fs::create_dir_all(&sources).unwrap();
    fs::copy(root().join("host/java/examples/Job.java"), sources.join("Job.java")).unwrap();
    // The plugins that made the jar, which are there.
    let pom = fs::read_to_string(root().join("host/java/pom.xml")).unwrap();
    let plugin = |name: &str| {
        let (_, after) = pom.split_once(&format!("<artifactId>{name}</artifactId>")).unwrap();
        let version = after.split_once("<version>").unwrap().1.split_once('<').unwrap().0;
        format!("<plugin><artifactId>{name}</artifactId><version>{version}</version></plugin>")
    };
    let plugins = ["maven-resources-plugin", "maven-compiler-plugin"].map(plugin).concat();
    let text = PROJECT.replace("FOLDER", &format!("file://{}", packages.display()));
    let text = text.replace("VERSION", VERSION).replace("PLUGINS", &plugins);
    fs::write(project.path().join("pom.xml"), text).unwrap();
    // Everything that Maven has but what it may have of ours.
    let local = project.path().join("local");
    fs::create_dir(&local).unwrap();
    for entry in fs::read_dir(target().join("peers/java-repository")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap();
        if name != "dev" && path.is_dir() {
            symlink(&path, local.join(name)).unwrap();
        }
    }
    let at = format!("-Dmaven.repo.local={}", local.display());
    let file = project.path().join("pom.xml").display().to_string();
    let maven = ["mvn", "--quiet", "--batch-mode", "--file", &file, &at, "compile"];
    let Some((unshare, arguments)) = in_namespace("true", maven) else {
        return skipped("packages", "the system permits no namespaces");
    };
    let ended = Run::program(unshare).arguments(arguments).end();
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    assert!(project.path().join("target/classes/Job.class").exists());
    assert!(local.join(format!("dev/vaultlet/vaultlet/{VERSION}/vaultlet-{VERSION}.jar")).exists());
}

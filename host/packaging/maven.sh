# The folder of the jar as Maven and Gradle read it, a repository: with sources, documentation and checksums as Maven Central wants
# them. Sourced by host/package, whose variables are used.

# A jar of the files of a folder, in an order that is everywhere the same.
jar_of() { # FILE FOLDER TIME
  (cd "$2" && find . -type f -printf '%P\n' | sort >"$work/files" && jar --create --no-manifest --date "$3" --file "$1" "@$work/files")
}

maven_repository() {
  local place=$out/java/dev/vaultlet/vaultlet kind name
  local at=$place/$version
  name=$at/vaultlet-$version
  mkdir -p "$at" "$work/sources/META-INF" "$work/javadoc"
  cp "$work/java/vaultlet-$version.jar" "$at/"
  cp host/java/pom.xml "$name.pom"
  cp -r host/java/src/main/java/. "$work/sources/"
  cp LICENSE "$work/sources/META-INF/"
  jar_of "$name-sources.jar" "$work/sources" "$made"
  # The class path is what Maven compiled with.
  javadoc -quiet -notimestamp -Xdoclint:none -encoding UTF-8 -source 17 -d "$work/javadoc" \
    -classpath "$(find "$target/peers/java-repository" -name 'jna-[0-9]*.jar' -o -name 'azure-core-[0-9]*.jar' -o -name 'reactor-core-*.jar' \
      -o -name 'reactive-streams-*.jar' | sort | paste -sd:)" \
    -sourcepath host/java/src/main/java -subpackages dev.vaultlet
  jar_of "$name-javadoc.jar" "$work/javadoc" "$made"
  cat >"$place/maven-metadata.xml" <<END
<?xml version="1.0" encoding="UTF-8"?>
<metadata>
  <groupId>dev.vaultlet</groupId>
  <artifactId>vaultlet</artifactId>
  <versioning>
    <latest>$version</latest>
    <release>$version</release>
    <versions>
      <version>$version</version>
    </versions>
    <lastUpdated>$(date -d "@$SOURCE_DATE_EPOCH" +%Y%m%d%H%M%S)</lastUpdated>
  </versioning>
</metadata>
END
  if [ -n "${VAULTLET_SIGNING_KEY:-}" ]; then
    for kind in .jar .pom -sources.jar -javadoc.jar; do
      signed --detach-sign --output "$name$kind.asc" "$name$kind"
    done
  fi
  find "$place" -type f | sort | while read -r name; do
    for kind in md5 sha1 sha256 sha512; do
      "${kind}sum" "$name" | cut -d ' ' -f 1 >"$name.$kind"
    done
  done
}

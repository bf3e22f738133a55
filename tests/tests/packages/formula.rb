# Runs the steps of a formula: `ruby formula.rb FORMULA DOWNLOADS PREFIX MACHINE`. Its words mean what Homebrew means by them
# (https://docs.brew.sh/Formula-Cookbook); one that is not here is an error. What is downloaded comes from a folder.

require "digest"
require "fileutils"
require "pathname"

FORMULA, DOWNLOADS, PREFIX = ARGV.first(3).map { |path| File.expand_path(path) }
MACHINE = ARGV.fetch(3)

class Pathname
  def install(map)
    map.each do |from, to|
      mkpath
      FileUtils.mv(from, self / to)
    end
  end
end

class Formula
  FIELDS = {}
  class << self
    %i[desc homepage version license url sha256].each { |name| define_method(name) { |value| FIELDS[name] = value } }
    def on_intel = MACHINE == "x86_64" && yield
    def on_arm = MACHINE == "aarch64" && yield
    def depends_on(what) = what == :linux || raise("depends on #{what}")
    def test(&block) = define_method(:test, &block)
  end

  def prefix = Pathname(PREFIX)
  def bin = prefix / "bin"
  def man1 = prefix / "share/man/man1"
  def version = FIELDS.fetch(:version)
  def chmod(mode, file) = FileUtils.chmod(mode, file)
  def shell_output(command) = `#{command}`.tap { raise command unless $?.success? }
  def assert_match(wanted, text) = text.include?(wanted) || raise("#{wanted} is not in #{text}")

  def system(*command)
    Kernel.system(*command.map(&:to_s), out: File::NULL) || raise("#{command} fails")
  end

  def generate_completions_from_executable(*command)
    %w[bash zsh fish].each { |shell| (prefix / shell).write(shell_output([*command, shell].join(" "))) }
  end
end

load FORMULA
raise "the description has at most 80 characters" if Formula::FIELDS.fetch(:desc).size > 80
file = File.join(DOWNLOADS, File.basename(Formula::FIELDS.fetch(:url)))
raise "the checksum is that of another file" if Digest::SHA256.file(file).hexdigest != Formula::FIELDS.fetch(:sha256)
FileUtils.mkdir_p(File.join(PREFIX, "build"))
FileUtils.cp(file, File.join(PREFIX, "build"))
formula = Vaultlet.new
Dir.chdir(File.join(PREFIX, "build")) { formula.install }
formula.test

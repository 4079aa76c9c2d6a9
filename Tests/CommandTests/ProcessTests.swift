import QDAudioHost
import Foundation
import TestSupport
import Testing
import denoisectl

/// The real `denoisectl` on real files; it needs no daemon.
struct ProcessTests {
  let sandbox: Sandbox

  init() throws { sandbox = try Sandbox("process") }

  private func file(_ name: String) -> String { "\(sandbox.directory)/\(name)" }

  @discardableResult
  private func denoisectl(_ words: String...) throws -> (status: Int32, output: String) {
    try sandbox.run(Piece.built("denoisectl"), words)
  }

  private func store(
    _ samples: [Float], as name: String, sampleRate: Int = 48000, channels: Int = 1
  ) throws {
    try makeDirectory(URL(fileURLWithPath: file(name)).deletingLastPathComponent().path)
    var writer = try SoundFileWriter(
      path: file(name),
      format: try SoundFormat(sampleRate: sampleRate, channels: channels).adapted(to: name))
    try writer.write(samples)
    try writer.finish()
  }

  private func load(_ name: String) throws -> (samples: [Float], format: SoundFormat) {
    var reader = try SoundFileReader(path: file(name))
    var samples: [Float] = []
    while true {
      let piece = try reader.read(4096)
      if piece.isEmpty { return (samples, reader.format) }
      samples += piece
    }
  }

  /// Steady hiss, the same in every run.
  private func hiss(_ count: Int) -> [Float] {
    var state: UInt32 = 1
    return (0..<count).map { _ in
      state = state &* 1_664_525 &+ 1_013_904_223
      return (Float(state >> 8) / Float(1 << 24) - 0.5) * 0.1
    }
  }

  private func level(_ samples: some Collection<Float>) -> Float {
    10 * log10(samples.reduce(1e-20) { $0 + $1 * $1 } / Float(max(samples.count, 1)))
  }

  @Test func `hiss is taken away, to the limit of the mode`() throws {
    let input = hiss(3 * 48000)
    try store(input, as: "in.wav")
    for (mode, limit) in [("light", Float(12)), ("standard", 24)] {
      #expect(
        try denoisectl(
          "process", "--mode", mode, "--model", "light", file("in.wav"), file("out.wav")
        ).status == 0)
      let output = try load("out.wav").samples
      #expect(output.count == input.count)
      let attenuation = level(input.suffix(48000)) - level(output.suffix(48000))
      #expect(attenuation > 8 && attenuation < limit + 0.1, "\(mode)")
    }
  }

  @Test(arguments: [(8000, 5), (44100, 2), (96000, 1)])
  func `length, rate and channels stay`(sampleRate: Int, channels: Int) throws {
    try store(hiss(12_345 * channels), as: "in.wav", sampleRate: sampleRate, channels: channels)
    #expect(
      try denoisectl("process", "--model", "light", file("in.wav"), file("out.wav")).status == 0)
    let (samples, format) = try load("out.wav")
    #expect(samples.count == 12_345 * channels)
    #expect((format.sampleRate, format.channels) == (sampleRate, channels))
  }

  @Test func `a model that no denoiser can be made of is one error, however many channels`() throws
  {
    try store(hiss(4800 * 3), as: "in.wav", channels: 3)
    var model = try bytes(of: Piece.fixture("denoisers/denoiser_full"))
    // A state that the network does not have: found as late as when the denoiser is made.
    let text = String(decoding: model, as: Unicode.ASCII.self)
    let start = try #require(text.firstRange(of: "\"sample_rate\": 48000")).lowerBound
    let end = try #require(text.firstRange(of: "\"states\": []")).upperBound
    let rest = text[start..<end].replacing(": ", with: ":").replacing(", ", with: ",")
      .replacing("[]", with: "[[\"a\",\"b\"]]")
    let place = text.distance(from: text.startIndex, to: start)
    let length = text.distance(from: start, to: end)
    model.replaceSubrange(
      place..<place + length,
      with: Array(rest.utf8) + [UInt8](repeating: 0x20, count: length - rest.utf8.count))
    try Data(model).write(to: URL(filePath: file("model.tflite")))
    let (status, output) = try denoisectl(
      "process", "--model", file("model.tflite"), file("in.wav"), file("out.wav"))
    #expect(status == 1, "\(output)")
    #expect(output.hasPrefix("denoisectl: ") && output.contains("'a'"), "\(output)")
    #expect(access(file("out.wav"), F_OK) != 0)
  }

  @Test func `the delay is taken out, and kept when live`() throws {
    var input = [Float](repeating: 0, count: 9600)
    input[4800] = 0.5
    try store(input, as: "in.wav")
    for (words, position) in [([], 4800), (["--live"], 4800 + 480)] as [([String], Int)] {
      let all = ["process", "--mode", "bypass", "--model", "light"] + words
      let result = try sandbox.run(
        Piece.built("denoisectl"), all + [file("in.wav"), file("out.wav")])
      #expect(result.status == 0)
      let output = try load("out.wav").samples
      #expect(output.indices.max { output[$0] < output[$1] } == position)
    }
  }

  @Test(arguments: [("full", 0.01), ("low_latency", 0.005)])
  func `the probability of speech is written hop by hop`(model: String, hop: Double) throws {
    // A second of silence, then a second of hiss, which the fixture takes for speech.
    let mono = [Float](repeating: 0, count: 48000) + hiss(48000).map { 10 * $0 }
    try store(mono, as: "in.wav")
    let fixture = Piece.fixture("denoisers/denoiser_\(model)")
    let result = try denoisectl(
      "process", "--model", fixture, "--speech", file("in.csv"), file("in.wav"), file("out.wav"))
    try #require(result.status == 0, "\(result.output)")
    let lines = try String(contentsOfFile: file("in.csv"), encoding: .utf8).split(separator: "\n")
    #expect(lines[0] == "time,speech")
    let rows = lines.dropFirst().map { $0.split(separator: ",").compactMap { Double($0) } }
    #expect(rows.count == Int(2 / hop))
    #expect(zip(rows.indices, rows).allSatisfy { abs($1[0] - Double($0) * hop) < 1e-6 })
    #expect(rows.allSatisfy { $0[0] < 0.99 ? $0[1] < 0.1 : $0[0] > 1.01 ? $0[1] > 0.9 : true })
  }

  @Test func `a probability that there is not is refused before anything is done`() throws {
    try store(hiss(4800), as: "in.wav")
    let result = try denoisectl(
      "process", "--model", Piece.fixture("operators/fc_m1_f32"), "--speech", file("in.csv"),
      file("in.wav"),
      file("out.wav"))
    #expect(result.status == 1)
    #expect(!FileManager.default.fileExists(atPath: file("in.csv")))
    let folder = try denoisectl(
      "process", "--model", Piece.fixture("denoisers/denoiser_full"), "--speech", file("in.csv"),
      sandbox.directory, file("out"))
    #expect(folder.status == 1)
    #expect(folder.output.contains("--speech is for one file"))
  }

  @Test func `samples that are no numbers and files without samples pass`() throws {
    var input = hiss(4800)
    input[100] = .nan
    input[2000] = .infinity
    for (name, samples) in [("nan.wav", input), ("empty.wav", [])] as [(String, [Float])] {
      try store(samples, as: name)
      #expect(
        try denoisectl("process", "--model", "light", file(name), file("out.wav")).status == 0)
      let output = try load("out.wav").samples
      #expect(output.count == samples.count)
      #expect(output.allSatisfy { $0.isFinite })
    }
  }

  @Test func `a stream flows from standard input to standard output`() throws {
    try store(hiss(48000), as: "in.wav")
    let program = Piece.built("denoisectl")
    let result = try sandbox.run(
      "/bin/sh",
      ["-c", "cat \(file("in.wav")) | \(program) process --model light - - > \(file("out.wav"))"])
    #expect(result.status == 0)
    #expect(try load("out.wav").samples.count == 48000)
  }

  @Test func `a folder is denoised file by file, and one that fails does not keep the others`()
    throws
  {
    for folder in ["in", "in/sub"] {
      try FileManager.default.createDirectory(
        atPath: file(folder), withIntermediateDirectories: true)
    }
    for name in ["in/a.wav", "in/sub/b.flac", "in/sub/c.wav"] { try store(hiss(4800), as: name) }
    try Data("no sound".utf8).write(to: URL(fileURLWithPath: file("in/bad.wav")))
    let result = try denoisectl("process", "--model", "light", file("in"), file("out"))
    #expect(result.status == 1)
    #expect(result.output.contains("bad.wav: is not a sound file"))
    #expect(result.output.contains("1 of 4 files failed"))
    let made = try FileManager.default.subpathsOfDirectory(atPath: file("out")).sorted()
    #expect(made == ["a.wav", "sub", "sub/b.flac", "sub/c.wav"])
  }

  @Test func `what cannot be done is one line, exit 1, and leaves nothing`() throws {
    try store(hiss(480_000), as: "in.wav")
    // A limit on the size of files stands for a disk without room.
    let program = Piece.built("denoisectl")
    let limited = try sandbox.run(
      "/bin/sh",
      [
        "-c",
        "ulimit -f 100; exec \(program) process --model light \(file("in.wav")) \(file("out.wav"))",
      ])
    let missing = try denoisectl("process", "--model", "light", file("no.wav"), file("out.wav"))
    let unknown = try denoisectl("process", "--model", "light", file("in.wav"), file("out.doc"))
    let folder = try denoisectl("process", "--model", "light", file("in.wav"), file("no/out.wav"))
    let model = try denoisectl(
      "process", "--model", file("in.wav"), file("in.wav"), file("out.wav"))
    for result in [limited, missing, unknown, folder, model] {
      #expect(result.status == 1, "\(result.output)")
      #expect(result.output.hasPrefix("denoisectl: "))
      #expect(result.output.count(where: \.isNewline) == 1, "\(result.output)")
    }
    #expect(limited.output.contains("File too large"))
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: sandbox.directory).filter {
        $0.contains("out") || $0.hasPrefix(".denoise")
      }.isEmpty)
  }

  @Test func `an input that is the output is replaced as a whole, and its links stay`() throws {
    try store(hiss(48000), as: "in.wav")
    let before = try load("in.wav").samples
    #expect(link(file("in.wav"), file("hard.wav")) == 0)
    #expect(symlink("in.wav", file("soft.wav")) == 0)
    for name in ["in.wav", "soft.wav"] {
      #expect(try denoisectl("process", "--model", "light", file("in.wav"), file(name)).status == 0)
      #expect(try load("in.wav").samples.count == before.count)
      #expect(try load("in.wav").samples != before)
    }
    #expect(try load("hard.wav").samples == before)
    #expect(
      try denoisectl("process", "--model", "light", file("hard.wav"), file("in.wav")).status == 0)
    #expect(
      try FileManager.default.destinationOfSymbolicLink(atPath: file("soft.wav")) == "in.wav")
  }

  @Test func `an input that would be written over while it is read is refused and stays`() throws {
    try store(hiss(4800), as: "in.wav")
    let before = try bytes(of: file("in.wav"))
    let program = "\(Piece.built("denoisectl")) process --model light"
    for command in ["in.wav - 1<> in.wav", "in.wav - >> in.wav", "- - < in.wav >> in.wav"] {
      let result = try sandbox.run(
        "/bin/sh", ["-c", "cd \(sandbox.directory) && \(program) \(command) 2>said"])
      #expect(result.status == 1, "\(command)")
      #expect(try contents(of: file("said")).contains("would be written over it"), "\(command)")
      #expect(try bytes(of: file("in.wav")) == before, "\(command)")
    }
    let emptied = try sandbox.run(
      "/bin/sh", ["-c", "cd \(sandbox.directory) && \(program) in.wav - > in.wav 2>said"])
    #expect(emptied.status == 1)
    #expect(
      try contents(of: file("said")).contains(
        "in.wav: is not a sound file that can be read: it is empty"))
  }

  @Test func `a table that would replace the recording or the result is refused`() throws {
    try store(hiss(4800), as: "in.wav")
    let before = try bytes(of: file("in.wav"))
    #expect(symlink("in.wav", file("link.csv")) == 0)
    for (out, table) in [("out.wav", "in.wav"), ("out.wav", "link.csv"), ("out.wav", "out.wav")] {
      let result = try denoisectl("process", file("in.wav"), file(out), "--speech", file(table))
      #expect(result.status == 1, "\(table)")
      #expect(result.output.contains("\(table): --speech would replace"), "\(result.output)")
    }
    #expect(try bytes(of: file("in.wav")) == before)
    #expect(!FileManager.default.fileExists(atPath: file("out.wav")))
  }

  @Test func `a FLAC file that is cut off is denoised as far as it goes, and an error`() throws {
    try store(hiss(96000), as: "in.flac")
    let whole = try bytes(of: file("in.flac"))
    try Data(whole.prefix(whole.count / 2)).write(to: URL(fileURLWithPath: file("half.flac")))
    let result = try denoisectl("process", "--model", "light", file("half.flac"), file("out.wav"))
    #expect(result.status == 1)
    #expect(result.output.contains("half.flac: ends after "), "\(result.output)")
    #expect(result.output.contains(" of 2.00 s"), "\(result.output)")
    #expect((30_000..<60_000).contains(try load("out.wav").samples.count))
    let half = try bytes(of: file("half.flac"))
    let own = try denoisectl("process", "--model", "light", file("half.flac"), file("half.flac"))
    #expect(own.status == 1 && own.output.contains("it stays as it is"), "\(own.output)")
    #expect(try bytes(of: file("half.flac")) == half)
    // A recorder that was killed leaves an estimate, and no checksum.
    var estimated = whole
    estimated.replaceSubrange(26..<42, with: Array(repeating: 0, count: 16))
    estimated[24] = 0x7F
    try Data(estimated).write(to: URL(fileURLWithPath: file("killed.flac")))
    #expect(
      try denoisectl("process", "--model", "light", file("killed.flac"), file("all.wav")).status
        == 0)
    #expect(try load("all.wav").samples.count == 96000)
    #expect(
      try denoisectl("process", "--model", "light", file("in.flac"), file("out.wav")).status == 0)
  }

  @Test func `files of a folder that would share a result, and names that are no text, are told`()
    throws
  {
    try store(hiss(4800), as: "in/a.wav")
    try store(hiss(4800), as: "twice/a.m4a.wav")
    try store(hiss(4800), as: "twice/a.wav")
    #expect(rename(file("twice/a.wav"), file("twice/a.m4a")) == 0)
    let shared = try denoisectl("process", "--model", "light", file("twice"), file("shared"))
    #expect(shared.status == 1)
    #expect(shared.output.contains("would both become"), "\(shared.output)")
    #expect(!FileManager.default.fileExists(atPath: file("shared")))
    try Data().write(to: URL(fileURLWithPath: file("in/.hidden.wav")))
    // 0xFE is no UTF-8.
    let name = Array(file("in/").utf8).map(CChar.init) + [CChar(bitPattern: 0xFE)]
    let isMade = (name + Array(".wav".utf8).map(CChar.init) + [0]).withUnsafeBufferPointer {
      link(file("in/a.wav"), $0.baseAddress!) == 0
    }
    try #require(isMade)
    let result = try denoisectl("process", "--model", "light", file("in"), file("out"))
    #expect(result.status == 1)
    #expect(result.output.contains("not UTF-8"), "\(result.output)")
    #expect(result.output.contains("1 of 2 files failed"), "\(result.output)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: file("out")) == ["a.wav"])
  }

  @Test func `a folder into itself or into a file is refused, by whatever name`() throws {
    for folder in ["in", "in/sub"] { try makeDirectory(file(folder)) }
    try store(hiss(4800), as: "in/a.wav")
    try store(hiss(4800), as: "other.wav")
    #expect(symlink("in", file("link")) == 0)
    for out in ["in", "in/", "link", "in/sub", "link/sub/new", "in/../in"] {
      let result = try denoisectl("process", "--model", "light", file("in"), file(out))
      #expect(result.status == 1, "\(out)")
      #expect(result.output.contains("would be overwritten by its own results"), "\(out)")
    }
    for out in ["other.wav", "new.wav", "in/a.wav"] {
      let result = try denoisectl("process", "--model", "light", file("in"), file(out))
      #expect(result.status == 1, "\(out)")
      #expect(result.output.contains("\(out): is a sound file, but "), "\(result.output)")
    }
    let own = try denoisectl("process", "--model", "light", file("in/a.wav"), file("in"))
    #expect(own.status == 1 && own.output.contains("would be overwritten"))
    #expect(
      try FileManager.default.subpathsOfDirectory(atPath: file("in")).sorted() == ["a.wav", "sub"])
  }

  @Test func `names may begin with a dash and hold new lines`() throws {
    try store(hiss(4800), as: "-a.wav")
    let program = Piece.built("denoisectl")
    func run(_ words: String) throws -> (status: Int32, output: String) {
      try sandbox.run(
        "/bin/bash",
        ["-c", "cd \(sandbox.directory) && exec \(program) process --model light \(words)"])
    }
    #expect(try run("-- -a.wav -b.wav").status == 0)
    #expect(try run("./-a.wav $'c\\nd.wav'").status == 0)
    #expect(try load("-b.wav").samples == load("c\nd.wav").samples)
    let wrong = try run("-a.wav b.wav")
    #expect(wrong.status == 64)
    #expect(wrong.output.contains("write ./-a.wav for the file"), "\(wrong.output)")
    let missing = try run("$'no\\n\\e[31m.wav' b.wav")
    #expect(
      missing.output
        == "denoisectl: no\\u000a\\u001b[31m.wav: cannot be opened: No such file or directory; check the name\n"
    )
  }

  @Test func `FIFOs are streams, and in a folder they are left alone`() throws {
    try store(hiss(4800), as: "in/a.wav")
    for name in ["in/trap.wav", "input", "output"] { try #require(mkfifo(file(name), 0o600) == 0) }
    #expect(try denoisectl("process", "--model", "light", file("in"), file("out")).status == 0)
    #expect(try FileManager.default.contentsOfDirectory(atPath: file("out")) == ["a.wav"])
    let program = Piece.built("denoisectl")
    let script = """
      cd \(sandbox.directory) && cat in/a.wav > input & cat output > heard.wav &
      \(program) process --model light input output && wait
      """
    #expect(try sandbox.run("/bin/sh", ["-c", "cd \(sandbox.directory); \(script)"]).status == 0)
    #expect(try load("heard.wav").samples.count == 4800)
  }

  @Test func `a terminal is no place for sound`() throws {
    try Piece.require(["script"])
    try store(hiss(4800), as: "in.wav")
    let program = Piece.built("denoisectl")
    for words in ["process in.wav -", "process - out.wav", "plot in.wav -o -"] {
      let (status, output) = try sandbox.run(
        "script", ["-qec", "cd \(sandbox.directory) && \(program) \(words)", "/dev/null"])
      #expect(status == 1, "\(words)")
      #expect(output.contains(" is a terminal, which "), "\(output)")
      #expect(output.count < 200)
    }
  }

  @Test func `what libsndfile does not know is decoded by ffmpeg`() throws {
    try Piece.require(["ffmpeg"])
    try store(hiss(48000), as: "in.wav")
    try makeDirectory(file("folder"))
    let codecs = ["m4a": "aac", "mp4": "aac", "webm": "libopus", "mkv": "libopus"]
    for (name, codec) in codecs {
      let made = try sandbox.run(
        "ffmpeg", ["-v", "error", "-i", file("in.wav"), "-c:a", codec, file("folder/in.\(name)")])
      try #require(made.status == 0, "\(made.output)")
      let input = file("folder/in.\(name)")
      let program = Piece.built("denoisectl")
      #expect(try denoisectl("process", "--model", "light", input, file("out.flac")).status == 0)
      let script = "cat \(input) | \(program) process --model light - \(file("piped.wav"))"
      #expect(try sandbox.run("/bin/sh", ["-c", script]).status == 0)
      for output in [try load("out.flac"), try load("piped.wav")] {
        #expect((48_000..<50_000).contains(output.samples.count), "\(name)")
        #expect(output.format.sampleRate == 48_000)
      }
    }
    #expect(try denoisectl("process", "--model", "light", file("folder"), file("out")).status == 0)
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: file("out")).sorted()
        == codecs.keys.map { "in.\($0).wav" }.sorted())
    #expect(
      try denoisectl("process", file("in.wav"), file("out.m4a")).output.contains("which format?"))
  }

  @Test func `without ffmpeg it says that ffmpeg would do`() throws {
    let header: [UInt8] = [0, 0, 0, 24] + Array("ftypM4A ".utf8) + [UInt8](repeating: 0, count: 99)
    try write(header, to: file("a.m4a"))
    let (status, output) = try sandbox.run(
      Piece.built("denoisectl"), ["process", file("a.m4a"), file("out.wav")],
      environment: ["PATH": "/nowhere"])
    #expect(status == 1)
    #expect(output.contains("; install ffmpeg, or convert it to WAV or FLAC first\n"), "\(output)")
    #expect(output.count(where: \.isNewline) == 1)
  }

  @Test func `hours take little memory, say how long it will take, and leave nothing`() throws {
    try Piece.require(["script"])
    // 30 GB of silence in a file whose 32 bits have run over.
    try store([], as: "large.wav")
    #expect(truncate(file("large.wav"), 30_000_000_000) == 0)
    let program = Piece.built("denoisectl")
    // A shell's background jobs ignore Ctrl-C, this one does not.
    let script = """
      cd \(sandbox.directory); mkdir results
      trap - INT; \(program) process --model light large.wav results/out.wav & job=$!
      sleep 4; grep VmHWM /proc/$job/status; kill -TERM $job; wait $job; echo "status $?"; ls -A results
      """
    let (_, output) = try sandbox.run(
      "script", ["-qec", script, "/dev/null"], environment: ["TERM": "xterm"])
    let memory = try #require(output.firstMatch(of: /VmHWM:\s*(\d+) kB/)?.1)
    #expect(try #require(Int(memory)) < 100_000)
    #expect(output.contains(/[0-9]+ (s|min|h [0-9]+ min) left/), "\(output)")
    #expect(output.hasSuffix("status 143\r\n"), "\(output.suffix(200))")
  }

  /// As on FAT and some network file systems.
  @Test(arguments: [SIGINT, SIGTERM])
  func `where files want names, a signal leaves none`(number: Int32) throws {
    try Piece.require(["cc"])
    let source = """
      #define _GNU_SOURCE
      #include <dlfcn.h>
      #include <errno.h>
      #include <fcntl.h>
      #include <stdarg.h>
      #define WRAP(name) int name(const char *path, int flags, ...) { \\
        va_list rest; va_start(rest, flags); int mode = va_arg(rest, int); va_end(rest); \\
        if ((flags & O_TMPFILE) == O_TMPFILE) { errno = EOPNOTSUPP; return -1; } \\
        return ((int (*)(const char *, int, ...))dlsym(RTLD_NEXT, #name))(path, flags, mode); }
      WRAP(open) WRAP(open64)
      """
    try write(source, to: file("names.c"))
    let made = try sandbox.run("cc", ["-shared", "-fPIC", "-o", file("names.so"), file("names.c")])
    try #require(made.status == 0, "\(made.output)")
    let preload = ["LD_PRELOAD": file("names.so")]
    func names() throws -> [String] {
      try FileManager.default.contentsOfDirectory(atPath: file("results"))
    }
    try store(hiss(4800), as: "in.wav")
    try makeDirectory(file("results"))
    let program = Piece.built("denoisectl")
    let words = ["process", "--model", "light"]
    let short = try sandbox.run(
      program, words + [file("in.wav"), file("results/out.wav")], environment: preload)
    #expect(short.status == 0, "\(short.output)")
    #expect(try names() == ["out.wav"])
    #expect(truncate(file("in.wav"), 10_000_000_000) == 0)
    let child = try sandbox.start(
      program, words + [file("in.wav"), file("results/next.wav")], environment: preload)
    #expect(eventually { (try? names().contains { $0.hasPrefix(".denoise") }) == true })
    child.signal(number)
    #expect(child.wait(seconds: 30) == 128 + number)
    #expect(try names() == ["out.wav"])
  }

  @Test func `the time that is left is in words`() {
    #expect(ProgressBar.left(.seconds(1), share: 0.5) == nil)
    #expect(ProgressBar.left(.seconds(10), share: 0.5) == "10 s")
    #expect(ProgressBar.left(.seconds(60), share: 0.1) == "9 min")
    #expect(ProgressBar.left(.seconds(60), share: 0.01) == "1 h 39 min")
  }

  @Test func `a picture is drawn of what is there`() throws {
    try store(hiss(4800), as: "in.wav")
    #expect(try denoisectl("plot", file("in.wav"), "-o", file("out.png")).status == 0)
    #expect(FileManager.default.fileExists(atPath: file("out.png")))
    let photo = try denoisectl("plot", file("in.wav"), "-o", file("out.jpg"))
    #expect(photo.status == 1)
    #expect(
      photo.output
        == "denoisectl: \(file("out.jpg")): the picture is a PNG; let the name end in .png\n")
    let missing = try denoisectl("plot", file("no.wav"), "-o", file("none.png"))
    #expect(missing.status == 1)
    #expect(!FileManager.default.fileExists(atPath: file("none.png")))
  }
}

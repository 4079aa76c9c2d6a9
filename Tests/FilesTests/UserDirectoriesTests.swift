import QDFiles
import Testing

@Suite struct UserDirectoriesTests {
  private static func directories(_ environment: [String: String]) -> UserDirectories {
    UserDirectories { environment[$0] }
  }

  @Test func `without XDG variables everything lies below HOME`() {
    let directories = Self.directories(["HOME": "/home/a"])
    #expect(directories.configuration == "/home/a/.config/qdenoise")
    #expect(directories.state == "/home/a/.local/state/qdenoise")
    #expect(directories.data == ["/home/a/.local/share", "/usr/local/share", "/usr/share"])
  }

  @Test func `XDG variables come first, and relative paths are ignored`() {
    let directories = Self.directories([
      "HOME": "/home/a", "XDG_CONFIG_HOME": "/c", "XDG_STATE_HOME": "state", "XDG_DATA_HOME": "/d",
      "XDG_DATA_DIRS": "/opt/share::here:/usr/share",
    ])
    #expect(directories.configuration == "/c/qdenoise")
    #expect(directories.state == "/home/a/.local/state/qdenoise")
    #expect(directories.data == ["/d", "/opt/share", "/usr/share"])
  }

  @Test func `empty variables are as good as none`() {
    let directories = Self.directories(["HOME": "/h", "XDG_DATA_HOME": "", "XDG_DATA_DIRS": ""])
    #expect(directories.data == ["/h/.local/share", "/usr/local/share", "/usr/share"])
  }

  @Test func `a person's unit is found before the system's`() {
    let directories = Self.directories(["HOME": "/h", "XDG_DATA_DIRS": "/opt/share"])
    #expect(
      directories.units == [
        "/h/.config/systemd/user", "/h/.local/share/systemd/user", "/etc/systemd/user",
        "/run/systemd/user", "/usr/local/lib/systemd/user", "/usr/lib/systemd/user",
        "/opt/share/systemd/user",
      ])
  }
}

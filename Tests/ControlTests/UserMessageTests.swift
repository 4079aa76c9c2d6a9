import QDControl
import Testing
import QDMessages

/// What is said to people.
struct UserMessageTests {
  @Test func `a literal becomes a pattern and its arguments`() {
    let (name, percent) = ("USB", 3)
    let message = UserMessage("'\(name)' is turned down" + " to \(percent) %, not \(7.5) %")
    #expect(message.pattern == "'%1' is turned down to %2 %, not %3 %")
    #expect(message.arguments == [.text("USB"), .text("3"), .text("7.5")])
    #expect(message.description == "'USB' is turned down to 3 %, not 7.5 %")
  }

  @Test func `an argument is never taken for a pattern`() {
    #expect(UserMessage("\("%2 and %1"): \("%1")").description == "%2 and %1: %1")
    #expect(UserMessage(pattern: "100 % of %1").description == "100 % of %1")
  }

  @Test func `a message within another one is translated with it`() {
    let inner = UserMessage("no \("sound")")
    let outer = UserMessage("waiting: \(inner) (\("sound"))")
    let words = ["waiting: %1 (%2)": "(%2) wartet auf %1", "no %1": "kein %1", "sound": "Ton"]
    #expect(outer.text { words[$0] ?? $0 } == "(sound) wartet auf kein sound")
  }

  @Test func `an error is said as it says itself`() {
    let error = ControlError.refusal(UserMessage("\(3) are too many"))
    #expect(UserMessage("failed: \(error)").text { $0.uppercased() } == "FAILED: 3 ARE TOO MANY")
    #expect(ControlError.refused("\(3) are too many") == error)
  }

  @Test func `a status tells how its sentences were made`() throws {
    var status = Status()
    let place = UserMessage("the microphone '\("USB")'")
    status.attenuations = [Status.Attenuation(place: place, remedy: "pactl x")]
    status.warnings = [
      status.note(UserMessage("\(status.attenuations[0].message); `\("pactl x")` undoes it"))
    ]
    _ = status.note(place)
    let read = try Status(json: status.json())
    #expect(read == status)
    #expect(
      read.warnings == ["the microphone 'USB' is muted: listeners get silence; `pactl x` undoes it"]
    )
    #expect(
      read.message(for: read.warnings[0]).text { "<\($0)>" }.hasPrefix("<<<the microphone 'USB'>"))
    #expect(read.message(for: "another one") == UserMessage("another one"))
  }
}

import json

import numpy as np
import pytest

from bank import Bank, is_free
from mixer import BEFORE_DIRECT, EARLY, Mixer, active_rms, split_room
from synthesis import SAMPLE_RATE, SYNTHESISERS, held, period, plain_rms


@pytest.fixture
def mixer(work):
    return Mixer(Bank(work), seed=5, seconds=2.0)


@pytest.mark.parametrize("snr", [-10, 0, 17.5])
def test_the_snr_is_what_was_asked(mixer, snr):
    speech, target, noise = mixer.components()
    mixture, _ = mixer.mix(speech, target, noise, snr, -30)
    gain = 10 ** (-30 / 20) / active_rms(speech)
    residue = mixture - speech * gain
    found = 20 * np.log10(active_rms(speech * gain) / plain_rms(residue))
    assert found == pytest.approx(snr, abs=0.05)


def test_the_level_is_what_was_asked(mixer):
    speech, target, noise = mixer.components()
    mixture, _ = mixer.mix(speech, target, np.zeros_like(noise), 0, -30)
    assert 20 * np.log10(active_rms(mixture)) == pytest.approx(-30, abs=0.05)


def test_a_dry_target_is_the_speech_in_the_mixture(mixer):
    speech, _, noise = mixer.components()
    mixture, target = mixer.mix(speech, speech, np.zeros_like(noise), 0, -30)
    assert np.array_equal(mixture, target)


def test_a_reverberant_target_is_aligned_with_its_mixture(mixer):
    entry = mixer.bank.entries["speech"][0]
    dry = mixer.cut("speech", entry)
    spectrum = np.fft.rfft(dry, mixer.size)
    whole, early = mixer.room()
    a, b = mixer.back(spectrum * whole), mixer.back(spectrum * early)
    correlation = np.fft.irfft(np.fft.rfft(a, 2 * len(a)) * np.conj(np.fft.rfft(b, 2 * len(b))))
    assert int(np.argmax(correlation)) == 0


def test_the_early_part_is_the_direct_sound_and_50_ms(work):
    bank = Bank(work)
    whole, early = split_room(bank.audio("rir", bank.entries["rir"][0]))
    assert np.argmax(np.abs(whole)) == BEFORE_DIRECT
    assert np.array_equal(whole[: BEFORE_DIRECT + EARLY], early[: BEFORE_DIRECT + EARLY])
    late = slice(BEFORE_DIRECT + EARLY + 4800, None)
    assert np.abs(early[late]).max() < 0.01 * np.abs(whole[late]).max()


def test_speed_moves_the_pitch_and_keeps_the_length(work):
    mixer, found = Mixer(Bank(work), seed=1, seconds=1.0), []
    size = mixer.bank.entries["noise"][0]["length"]
    sine = 8000 * np.sin(2 * np.pi * 1000 * np.arange(size) / 48000)
    mixer.bank.samples["noise"] = np.tile(sine, 6).astype(np.int16)
    for _ in range(20):
        piece = mixer.cut("noise", mixer.bank.entries["noise"][0])
        assert piece.shape == (48000,) and piece.dtype == np.float32
        found.append(int(np.abs(np.fft.rfft(piece * np.hanning(48000))).argmax()))
    assert min(found) > 1000 / 1.41 and max(found) < 1410
    assert found.count(1000) >= 4 and len(set(found)) > 4


def test_nothing_exceeds_full_scale(mixer):
    for _ in range(20):
        mixture, target = (x[0] for x in mixer.batch(1))
        assert np.isfinite(mixture).all() and np.isfinite(target).all()
        assert np.abs(mixture).max() <= 1


def test_one_seed_gives_one_mixture(work):
    a, b = (Mixer(Bank(work), seed=9, seconds=1.0).batch(2) for _ in range(2))
    assert np.array_equal(a[0], b[0]) and np.array_equal(a[1], b[1])


def test_the_splits_share_no_recording(work):
    train, valid = Bank(work, "train"), Bank(work, "valid")
    for kind in ("speech", "noise", "rir"):
        paths = {e["path"] for e in train.entries[kind]}
        assert paths and not paths & {e["path"] for e in valid.entries[kind]}


def test_a_crowd_has_nobody_of_the_sentence(mixer):
    for _ in range(20):
        heard = []
        mixer.pick = lambda groups, pick=Mixer.pick: heard.append(pick(mixer, groups)) or heard[-1]
        mixer.voice("speaker0")
        assert heard[-1]["speaker"] != "speaker0"


def test_noise_is_alone_at_first_in_one_sentence_of_four(mixer):
    entry = mixer.bank.entries["speech"][0]
    late = [not mixer.sentence(entry)[:2000].any() for _ in range(200)]
    assert 30 <= sum(late) <= 75


def test_noisy_recordings_of_speech_are_left_out(work):
    table = json.loads((work / "speech.json").read_text())
    table[0]["snr"] = 12.0
    noisy = work / "noisy"
    noisy.mkdir()
    for path in work.glob("*.npy"):
        (noisy / path.name).symlink_to(path)
    for kind in ("noise", "rir"):
        (noisy / f"{kind}.json").write_text((work / f"{kind}.json").read_text())
    (noisy / "speech.json").write_text(json.dumps(table))
    left = {entry["path"] for entry in Bank(noisy).entries["speech"]}
    assert left == {entry["path"] for entry in Bank(work).entries["speech"]} - {"speech/0"}


def test_free_only_leaves_copyleft_out(work):
    for kind, entries in Bank(work, free_only=True).entries.items():
        assert entries and all(e["free"] for e in entries), kind


@pytest.mark.parametrize(
    "licence, free",
    [
        ("CC0-1.0", True),
        ("CC-BY-4.0", True),
        ("MIT", True),
        ("CC-BY-SA (version not stated)", False),
        ("GFDL", False),
        ("GPL (2+/3+ as credited)", False),
    ],
)
def test_licences_are_sorted(licence, free):
    assert is_free(licence) == free


@pytest.mark.parametrize("synthesiser", SYNTHESISERS)
def test_synthetic_noise_has_unit_level(synthesiser):
    noise = synthesiser(np.random.default_rng(1), 48000)
    assert noise.dtype == np.float32 and len(noise) == 48000
    assert plain_rms(noise) == pytest.approx(1, abs=1e-3)


def test_a_held_vowel_keeps_its_pitch_and_level():
    rng = np.random.default_rng(3)
    time = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    voice = sum(np.sin(2 * np.pi * 150 * k * time) / k for k in range(1, 20)).astype(np.float32)
    long = held(rng, voice, 4 * SAMPLE_RATE)
    assert len(long) == 4 * SAMPLE_RATE
    for second in (0.5, 1.5, 2.5, 3.5):
        piece = long[int(second * SAMPLE_RATE) :][:2400]
        assert period(piece) == pytest.approx(320, rel=0.06)
        assert -9 < 20 * np.log10(plain_rms(piece) / plain_rms(voice)) < 2


def test_noise_has_no_vowel_to_hold():
    rng = np.random.default_rng(4)
    assert held(rng, rng.standard_normal(SAMPLE_RATE).astype(np.float32), SAMPLE_RATE) is None

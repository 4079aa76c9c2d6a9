import pytest
import torch

import losses
from designs import DESIGNS, make
from network import Denoiser
from spectrum import TEN_MILLISECONDS, TWENTY_MILLISECONDS

HOP = TWENTY_MILLISECONDS.hop


@pytest.mark.parametrize("front", [TEN_MILLISECONDS, TWENTY_MILLISECONDS])
def test_analysis_and_synthesis_restore_the_signal(front):
    torch.manual_seed(0)
    samples = torch.randn(2, 20 * HOP)
    restored = front.synthesis(front.analysis(samples))
    assert (restored - samples)[:, : -front.hop].abs().max() < 1e-5


@pytest.mark.parametrize("front", [TEN_MILLISECONDS, TWENTY_MILLISECONDS])
def test_the_bands_cover_every_bin_above_the_low_ones_once(front):
    edges = front.band_edges()
    assert all(b - a >= 2 for a, b in zip(edges, edges[1:]))
    covered = (torch.arange(front.bins) >= front.low_bins).float()
    assert torch.equal(front.band_matrix().sum(0), covered)


@pytest.mark.parametrize("kind", DESIGNS)
def test_an_untrained_network_passes_the_signal(kind):
    torch.manual_seed(0)
    network = make(kind).eval()
    front = network.shape.front
    spectra = front.analysis(0.1 * torch.randn(1, 20 * HOP))
    with torch.no_grad():
        output, _ = Denoiser(network)(spectra)
    difference = sum((a - b).square().sum() for a, b in zip(output, spectra))
    assert difference < 0.2 * sum(part.square().sum() for part in spectra)


def test_a_perfect_output_costs_nothing_but_its_snr_term():
    torch.manual_seed(0)
    samples, front = 0.1 * torch.randn(2, 40 * HOP), TWENTY_MILLISECONDS
    spectra = front.analysis(samples)
    certain = 100 * (2 * losses.has_speech(spectra) - 1)
    value, snr = losses.total(spectra, certain, spectra, samples, front, 512)
    assert snr < -29.9 and abs(value - losses.SNR_WEIGHT * snr) < 1e-3


def test_silent_targets_have_no_snr():
    output = torch.randn(3, 4800)
    assert losses.negative_snr(output, torch.zeros(3, 4800)) == 0


def test_only_silent_targets_count_as_residue():
    output = torch.full((4, 4800), losses.REFERENCE_LEVEL / 10)
    target = torch.zeros(4, 4800)
    target[1:] = 0.1
    assert abs(losses.residue(output, target) - -20 / 4) < 0.05
    assert losses.residue(output[1:], target[1:]) == 0


def test_speech_is_what_is_within_35_db_of_the_loudest_hop():
    samples = 0.1 * torch.randn(1, 40 * HOP)
    samples[:, 10 * HOP : 20 * HOP] *= 10 ** (-30 / 20)
    samples[:, 20 * HOP :] *= 10 ** (-45 / 20)
    found = losses.has_speech(TWENTY_MILLISECONDS.analysis(samples))[0]
    assert found[:20].all() and not found[22:].any()
    silence = TWENTY_MILLISECONDS.analysis(torch.zeros(1, 4 * HOP))
    assert not losses.has_speech(silence).any()


def test_each_second_of_a_residue_counts_alike():
    output = torch.ones(1, 2 * 48000) * losses.REFERENCE_LEVEL
    output[:, 48000:] *= 0.01
    assert abs(losses.residue(output, 0 * output) - -20) < 0.1


def test_pauses_of_a_white_residue_have_its_level():
    torch.manual_seed(0)
    front = TWENTY_MILLISECONDS
    target = losses.REFERENCE_LEVEL * torch.randn(2, 60 * HOP)
    target[:, 20 * HOP :] = 0
    output = target + losses.REFERENCE_LEVEL / 10 * torch.randn(2, 60 * HOP)
    found = losses.pause_residue(front.analysis(output), front.analysis(target))
    assert found == pytest.approx(-20, abs=0.3)
    assert losses.pause_residue(front.analysis(output), front.analysis(0 * target)) == 0


def test_only_clean_items_count_for_the_level():
    torch.manual_seed(0)
    target = 0.1 * torch.randn(2, 40 * HOP)
    mixture = target.clone()
    mixture[1] += 0.1 * torch.randn(40 * HOP)
    clean = losses.is_clean(mixture, target)
    assert clean.tolist() == [1, 0]
    spectra = TWENTY_MILLISECONDS.analysis(target)
    quieter = [part * 10 ** (-2 / 20) for part in spectra]
    assert losses.level_change(quieter, spectra, clean) == pytest.approx(1, abs=0.01)


def test_the_low_cut_takes_rumble_and_leaves_voices():
    gains = 20 * TWENTY_MILLISECONDS.low_cut().clamp_min(1e-9).log10()
    assert gains[0] < -100 and gains[1] == pytest.approx(-8.8, abs=0.1)
    assert gains[2] == pytest.approx(-1.5, abs=0.1) and gains[4:].min() > -0.15

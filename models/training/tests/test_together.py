"""Processes that train together, as torchrun starts them."""

import multiprocessing
import os
import socket

import torch

import train

PROCESSES = 2


def take_part(rank, port, queue):
    os.environ.update(
        RANK=str(rank), WORLD_SIZE=str(PROCESSES), MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port)
    )
    assert train.join() == (rank, PROCESSES)
    network = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Linear(2, 1))
    for number, parameter in enumerate(network.parameters()):
        parameter.grad = torch.full_like(parameter, 10.0 * rank + number)
    train.average_gradients(network.parameters())
    queue.put([p.grad.unique().tolist() for p in network.parameters()])
    train.distributed.destroy_process_group()


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def test_gradients_are_averaged_over_the_processes():
    context = multiprocessing.get_context("spawn")
    queue, port = context.Queue(), free_port()
    processes = [
        context.Process(target=take_part, args=(rank, port, queue)) for rank in range(PROCESSES)
    ]
    for process in processes:
        process.start()
    results = [queue.get(timeout=120) for _ in processes]
    for process in processes:
        process.join()
    assert results == [[[5.0], [6.0], [7.0], [8.0]]] * PROCESSES


def test_one_process_keeps_its_gradients():
    parameter = torch.nn.Parameter(torch.zeros(2))
    parameter.grad = torch.ones(2)
    train.average_gradients([parameter])
    assert parameter.grad.tolist() == [1, 1]
    assert train.join() == (0, 1)

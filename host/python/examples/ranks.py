"""One rank of a training job, whose launcher has the secret. To run two of them in a local Azure, by any of these:

vaultlet dev --vault my-key-vault --seed hub-token=hunter2 -- sh
export HF_TOKEN=akv://my-key-vault/hub-token
vaultlet run -- torchrun --nproc-per-node 2 ranks.py
vaultlet run -- accelerate launch --multi_gpu --num_processes 2 ranks.py
vaultlet run -- deepspeed --num_gpus 2 --no_local_rank ranks.py
"""

import os

import torch
import torch.distributed

torch.distributed.init_process_group("gloo")
rank, ranks = torch.distributed.get_rank(), torch.distributed.get_world_size()
lengths = torch.zeros(ranks)
lengths[rank] = len(os.environ["HF_TOKEN"])
torch.distributed.all_reduce(lengths)
if rank == 0:
    print(f"{ranks} ranks have tokens of {lengths.tolist()} characters")
torch.distributed.destroy_process_group()

import subprocess
import torch

subprocess.run(["ffmpeg", "-i", "in.mp4", "frames/%d.png"])
torch.save({}, "out/model.pt")

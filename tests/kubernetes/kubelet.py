"""Runs the containers of one pod by hand, as a kubelet would: `kubelet.py POD.json IMAGES.json`, on stdin nothing.

No kubelet can be had in a test, so this runs what matters of a manifest: command lines, variables, users, rights, volumes and
their paths, read-only roots, the order of init containers and sidecars, probes, the end. It must be root, in network and mount
namespaces of its own, which it changes. IMAGES says what an image would bring: its entry point, its variables, its folder.
Its own variables, those of `vaultlet dev --identity-form workload-identity`, are what the webhook of the workload identity adds
to containers that are not skipped.

It prints a line of JSON: the exit codes of all containers, and how many times the startup probe was tried.
"""
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import time

SKIP = "azure.workload.identity/skip-containers"
USE = "azure.workload.identity/use"

# What is not of the local Azure, in whose environment this runs.
OWN = ["PATH", "HOME", "PWD", "OLDPWD", "SHLVL", "_", "LC_CTYPE"]


def shell(text):
    subprocess.run(["sh", "-euc", text], check=True)


class Pod:
    def __init__(self, pod, images):
        self.spec, self.images = pod["spec"], images
        metadata = pod.get("metadata", {})
        skipped = metadata.get("annotations", {}).get(SKIP, "")
        self.skipped = {name.strip() for name in skipped.split(";")}
        self.has_identity = metadata.get("labels", {}).get(USE) == "true"
        self.user = self.spec.get("securityContext", {})
        # What the node has: the folders of volumes, and room for the places where they are mounted.
        os.makedirs("/mnt/pod", exist_ok=True)
        shell("mount -t tmpfs none /mnt/pod")
        for top in ["run", "opt", "etc"]:
            shell(
                f"mkdir -p /mnt/pod/{top}/upper /mnt/pod/{top}/work; "
                f"mount -t overlay none -o lowerdir=/{top},upperdir=/mnt/pod/{top}/upper,workdir=/mnt/pod/{top}/work /{top}"
            )
        # The token is projected into a volume that the user of the pod reads.
        self.identity = {name: self.projected(value) for name, value in os.environ.items() if name not in OWN}
        self.volumes = {volume["name"]: self.volume(volume) for volume in self.spec.get("volumes", [])}

    def projected(self, value):
        if not os.path.isfile(value):
            return value
        os.makedirs("/mnt/pod/identity", exist_ok=True)
        copy = shutil.copy(value, "/mnt/pod/identity/")
        os.chmod(copy, 0o644)
        return copy

    def volume(self, volume):
        folder = f"/mnt/pod/volumes/{volume['name']}"
        if "hostPath" in volume:
            # Another pod of the node has it, too.
            folder = self.images["node"] + volume["hostPath"]["path"]
            if volume["hostPath"]["type"] == "Directory":
                assert os.path.isdir(folder), f"{folder} is not on the node"
        os.makedirs(folder, exist_ok=True)
        if "emptyDir" in volume:
            # One on a disk may be larger: its pod is ended for it at some time, and the program of a test is large.
            is_memory = volume["emptyDir"].get("medium") == "Memory"
            size = volume["emptyDir"]["sizeLimit"].rstrip("i") if is_memory else "1G"
            shell(f"mount -t tmpfs -o mode=0777,size={size} none {folder}")
        elif "configMap" in volume:
            # A folder for each state of the map, and links into it.
            shell(f"chmod 0777 {folder}; mkdir -p {folder}/..1; ln -sfn ..1 {folder}/..data")
            for name, text in self.images["configMaps"][volume["configMap"]["name"]].items():
                with open(f"{folder}/..1/{name}", "w") as file:
                    file.write(text)
                os.chmod(f"{folder}/..1/{name}", 0o644)
                os.symlink(f"..data/{name}", f"{folder}/{name}")
        elif "image" in volume:
            shell(f"mount --bind {self.images['program-image']} {folder}")
        elif "hostPath" not in volume:
            raise SystemExit(f"no volume of this kind here: {volume}")
        return folder

    def start(self, container):
        image = self.images["images"][container["image"].split("/")[-1].split(":")[0]]
        # A command of the container stands for the entry point and the arguments of the image.
        arguments = container.get("args", [] if "command" in container else image["arguments"])
        # A test does not wait until many nodes have asked.
        arguments = ["--splay=0" if argument.startswith("--splay=") else argument for argument in arguments]
        command = container.get("command", image["entrypoint"]) + arguments
        environment = dict(image["environment"])
        if self.has_identity and container["name"] not in self.skipped:
            environment.update(self.identity)
        environment.update({variable["name"]: variable["value"] for variable in container.get("env", [])})
        context = {**self.user, **container.get("securityContext", {})}
        user = context.get("runAsUser", image["user"])
        if context.get("runAsNonRoot"):
            assert user != 0, f"{container['name']} would be root"
        mounts = container.get("volumeMounts", [])
        lines = [f"mkdir -p {mount['mountPath']}" for mount in mounts]
        for mount in mounts:
            lines.append(f"mount --bind {self.volumes[mount['name']]} {mount['mountPath']}")
            if mount.get("readOnly"):
                lines.append(f"mount -o remount,bind,ro {mount['mountPath']}")
        if context.get("readOnlyRootFilesystem"):
            # Not the volumes, which are mounted already.
            lines += [f"mount -o remount,bind,ro {at}" for at in ["/", "/run", "/opt", "/etc"]]
        rights = ["setpriv", f"--reuid={user}", f"--regid={context.get('runAsGroup', user)}", "--clear-groups"]
        if "ALL" in context.get("capabilities", {}).get("drop", []):
            rights += ["--bounding-set=-all", "--inh-caps=-all"]
        if context.get("allowPrivilegeEscalation") is False:
            rights += ["--no-new-privs"]
        folders = image["environment"]["PATH"].split(":")
        program = next((at for at in (f"{folder}/{command[0]}" for folder in folders) if os.path.exists(at)), command[0])
        variables = [f"{name}={value}" for name, value in environment.items()]
        text = "; ".join([*lines, f"cd {image['folder']}", 'exec "$@"'])
        script = ["unshare", "-m", "--propagation", "private", "sh", "-euc", text, "sh", *rights, "env", "-i", *variables]
        return subprocess.Popen([*script, program, *command[1:]], stdin=subprocess.DEVNULL)

    def probe(self, container, process):
        probe = container["startupProbe"]
        ports = {port.get("name"): port["containerPort"] for port in container.get("ports", [])}
        port = ports.get(probe["httpGet"]["port"], probe["httpGet"]["port"])
        for tried in range(1, probe["failureThreshold"] + 1):
            try:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
                # As the kubelet writes it: the address of the pod.
                connection.request("GET", probe["httpGet"]["path"], headers={"Host": f"10.244.0.7:{port}"})
                if 200 <= connection.getresponse().status < 400:
                    return tried
            except OSError:
                pass
            assert process.poll() is None, f"{container['name']} ended with {process.poll()}"
            time.sleep(probe["periodSeconds"])
        raise SystemExit(f"the startup probe of {container['name']} fails")

    def run(self):
        codes, sidecars, tried = {}, [], 0
        for container in self.spec.get("initContainers", []):
            process = self.start(container)
            if container.get("restartPolicy") == "Always":
                sidecars.append((container["name"], process))
                tried = self.probe(container, process)
            else:
                codes[container["name"]] = process.wait()
                assert codes[container["name"]] == 0, f"{container['name']} ended with {codes}"
        mains = [(container["name"], self.start(container)) for container in self.spec["containers"]]
        if self.images.get("until"):
            # A pod that does not end by itself: the test says when.
            self.probe(self.spec["containers"][0], mains[0][1])
            subprocess.run(self.images["until"], check=True)
            sidecars, mains = mains, []
        codes.update({name: process.wait() for name, process in mains})
        # The sidecars end after the others, the last one first, by SIGTERM.
        for name, process in reversed(sidecars):
            process.send_signal(signal.SIGTERM)
            codes[name] = process.wait(timeout=self.spec.get("terminationGracePeriodSeconds", 30))
        print(json.dumps({"codes": codes, "tried": tried}), flush=True)


if __name__ == "__main__":
    with open(sys.argv[1]) as pod, open(sys.argv[2]) as images:
        Pod(json.load(pod), json.load(images)).run()

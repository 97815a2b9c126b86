"""test_cluster.py - contrib/docker and contrib/kubernetes: the options, ports, probes and names in
them are those that cairnd serves. What needs no cluster and no engine; doc/cluster.md tells what
else was tried."""
import hmac
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import threading
import urllib.error
import urllib.request

import framework
import manifest
import npm
from framework import ROOT, Node, Skip, equal, free_port, wait_until

ADDRESS = "bcrt1qft5p2uhsdcdc3l2ua4ap5qqfg4pjaqlp250x7us7a8qqhrxrxfsqseac85"
MODELS = "kubernetes-models@5.1.0"
KUBERNETES = os.path.join(ROOT, "contrib", "kubernetes")
DOCKER = os.path.join(ROOT, "contrib", "docker")
DOMAIN = "cairn.svc.cluster.local"  # of the namespace that kustomization.yaml names
NAME_SERVER = "127.0.0.77"
TYPE_A = 1


def text_of(*parts):
    with open(os.path.join(*parts), encoding="utf-8") as file:
        return file.read()


def manifests():
    """{kind: the one of it, or {name: it} for services}, without kustomization.yaml's."""
    kustomization, = manifest.read(text_of(KUBERNETES, "kustomization.yaml"))
    found = {"Kustomization": kustomization, "Service": {}}
    for name in kustomization["resources"]:
        for document in manifest.read(text_of(KUBERNETES, name)):
            if document["kind"] == "Service":
                found["Service"][document["metadata"]["name"]] = document
            else:
                equal(document["kind"] in found, False, f"two of {document['kind']}")
                found[document["kind"]] = document
    return found


def pod_of(found):
    """What the stateful set makes, and its only container."""
    template = found["StatefulSet"]["spec"]["template"]
    container, = template["spec"]["containers"]
    return template, container


def settings(text):
    """The lines name=value of a config file, whatever section."""
    lines = re.findall(r"^(\w+)=(.*)$", text, re.M)
    return {name: [value for other, value in lines if other == name] for name, _ in lines}


class Contained(Node):
    """cairnd with the config file of an image or a pod, but for folder, ports and some texts."""

    def __init__(self, context, name, config, changes=()):
        super().__init__(context, name)
        self.home = os.path.join(context.scratch, name + ".home")
        self.p2p_port = free_port()
        os.makedirs(os.path.join(self.home, ".cairn"))
        for old, new in (("datadir=/var/lib/cairn", f"datadir={self.datadir}"), *changes):
            equal(old in config, True, f"{old} in the config file")
            config = config.replace(old, new)
        config = re.sub(r"^rpcport=.*", f"rpcport={self.port}", config, flags=re.M)
        config = re.sub(r"^port=.*", f"port={self.p2p_port}", config, flags=re.M)
        with open(os.path.join(self.home, ".cairn", "cairn.conf"), "w", encoding="utf-8") as file:
            file.write(config)
        self.wrapper = []

    def command(self, extra=()):
        return [*self.wrapper, os.path.join(self.context.bin, "cairnd"), *extra]

    def run(self, *extra):
        return self.start(*extra, env={"HOME": self.home})

    def ask(self, path):
        try:
            url = f"http://127.0.0.1:{self.port}{path}"
            with urllib.request.urlopen(url, timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def ends_by_sigterm(self):
        """As the engine stops a container; nothing was written but in the data directory."""
        self.process.send_signal(signal.SIGTERM)
        self.wait_exit(0)
        equal([names for _, _, names in os.walk(self.home)], [[], ["cairn.conf"]])
        equal("debug.log" in os.listdir(self.netdir), False)


# -- The manifests ------------------------------------------------------------------------------


def test_manifests_name_each_other(_):
    found = manifests()
    template, container = pod_of(found)
    spec = found["StatefulSet"]["spec"]
    labels = template["metadata"]["labels"]
    selectors = [spec["selector"]["matchLabels"],
                 found["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
                 found["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"],
                 *(service["spec"]["selector"] for service in found["Service"].values())]
    equal(selectors, [labels] * len(selectors))
    peers = found["Service"][spec["serviceName"]]
    equal((peers["spec"]["clusterIP"], peers["spec"]["publishNotReadyAddresses"]), ("None", True))
    volumes = [volume["name"] for volume in template["spec"]["volumes"]]
    claims = [claim["metadata"]["name"] for claim in spec["volumeClaimTemplates"]]
    equal(sorted(mount["name"] for mount in container["volumeMounts"]), sorted(volumes + claims))
    config, secret = template["spec"]["volumes"][0]["projected"]["sources"]
    generated, = found["Kustomization"]["configMapGenerator"]
    equal((config["configMap"]["name"], secret["secret"]["optional"]), (generated["name"], True))
    equal(found["Namespace"]["metadata"]["name"], found["Kustomization"]["namespace"])
    image, = found["Kustomization"]["images"]
    equal(container["image"], image["name"])


def test_ports_and_names_are_those_of_the_config_file(_):
    found = manifests()
    template, container = pod_of(found)
    config = settings(text_of(KUBERNETES, "cairn.conf"))
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    equal(ports, {"p2p": int(config["port"][0]), "rpc": int(config["rpcport"][0])})
    for service in found["Service"].values():
        for port in service["spec"]["ports"]:
            equal(port["port"], ports[port["targetPort"]], "a port of a service")
    equal({port["port"] for rule in found["NetworkPolicy"]["spec"]["ingress"]
           for port in rule["ports"]}, set(ports))
    equal({container[probe]["httpGet"]["port"] for probe in container if probe.endswith("Probe")},
          {"rpc"})
    equal(template["metadata"]["annotations"]["prometheus.io/port"], str(ports["rpc"]))
    peers = found["StatefulSet"]["spec"]["serviceName"]
    first = found["StatefulSet"]["metadata"]["name"] + "-0"
    equal(config["addnode"], [f"{first}.{peers}", peers])


def test_pods_may_do_nothing_that_a_node_need_not(_):
    found = manifests()
    template, container = pod_of(found)
    equal(container["securityContext"],
          {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
           "capabilities": {"drop": ["ALL"]}})
    context = template["spec"]["securityContext"]
    user = re.search(r"^USER (\d+):(\d+)$", text_of(DOCKER, "Dockerfile"), re.M).groups()
    equal((context["runAsNonRoot"], context["seccompProfile"]), (True, {"type": "RuntimeDefault"}))
    equal((context["runAsUser"], context["runAsGroup"], context["fsGroup"]),
          (int(user[0]), int(user[1]), int(user[1])))
    equal(template["spec"]["automountServiceAccountToken"], False)
    equal(container["volumeMounts"][1]["readOnly"], True)


def test_manifests_satisfy_the_schemas(context):
    folder = npm.installed("kubernetes", [MODELS])
    models = os.path.join(folder, "node_modules", "kubernetes-models")
    found = manifests()
    documents = [*found["Service"].values(),
                 *(found[kind] for kind in found if kind not in ("Service", "Kustomization"))]
    for document in documents:
        equal(manifest.unknown_names(document, models), [])
    path = os.path.join(context.scratch, "manifests.json")

    def problems():
        with open(path, "w", encoding="utf-8") as file:
            json.dump(documents, file)
        script = os.path.join(ROOT, "tests", "functional", "kubernetes_models.mjs")
        return subprocess.run(["node", script, models, path], check=True, text=True,
                              stdout=subprocess.PIPE).stdout

    equal(problems(), "")
    container = pod_of(found)[1]
    container["ports"][0]["containerPort"] = "p2p"
    container["livenessProbe"]["httpGet"]["url"] = "/livez"
    equal("containerPort must be integer" in problems(), True, "what is wrong is seen")
    equal(manifest.unknown_names(found["StatefulSet"], models),
          ["StatefulSet.spec.template.spec.containers.livenessProbe.httpGet.url"])


def test_kustomize_makes_all_of_it(_):
    if not shutil.which("kubectl"):
        raise Skip("no kubectl here")
    made = subprocess.run(["kubectl", "kustomize", KUBERNETES], check=False, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    equal(made.returncode, 0, made.stdout)
    equal(sorted(re.findall(r"^kind: (\w+)", made.stdout, re.M)),
          ["ConfigMap", "Namespace", "NetworkPolicy", "PodDisruptionBudget", "Service", "Service",
           "StatefulSet"])
    name = re.search(r"^  name: (cairn-\w+)\n", made.stdout.split("kind: ConfigMap")[1], re.M)
    equal(f"name: {name.group(1)}" in made.stdout.split("kind: StatefulSet")[1], True)


# -- cairnd with their options ------------------------------------------------------------------


def pod(context, name="pod", changes=()):
    """A node with the arguments of the container and the config file of the pods."""
    container = pod_of(manifests())[1]
    equal([key for key in ("command", "args", "env") if key in container], [])
    return Contained(context, name, text_of(KUBERNETES, "cairn.conf"), changes)


def test_a_pod_serves_what_the_manifest_asks(context):
    template, container = pod_of(manifests())
    node = pod(context, changes=[("addnode=cairn-0.cairn-peers", "listen=1"),
                                 ("addnode=cairn-peers", "bind=127.0.0.1")]).run()
    probes = {probe: container[probe]["httpGet"]["path"] for probe in container
              if probe.endswith("Probe")}
    equal(probes, {"startupProbe": "/livez", "livenessProbe": "/livez",
                   "readinessProbe": "/readyz"})
    for path in probes.values():
        # With no block yet; the mempool is loaded a moment after RPC answers.
        wait_until(lambda path=path: node.ask(path) == (200, "ok\n"), 30, path)
    status, text = node.ask(template["metadata"]["annotations"]["prometheus.io/path"])
    equal((status, 'bitcoin_info{version=' in text), (200, True))
    equal((node.rpc.getblockchaininfo()["chain"], len(node.rpc.getnetworkinfo()["localaddresses"])),
          ("regtest", 1))
    with socket.create_connection(("127.0.0.1", node.p2p_port), timeout=10):
        pass
    # As by kubectl exec: no option says where the node is.
    program = os.path.join(context.bin, "cairn-cli")
    done = subprocess.run([program, "generatetoaddress", "1", ADDRESS],
                          env=dict(os.environ, HOME=node.home), check=True, timeout=60,
                          stdout=subprocess.PIPE, text=True)
    equal(json.loads(done.stdout), [node.rpc.getbestblockhash()])
    equal("UpdateTip" in node.output() or "height=1" in node.output(), True, "the log")
    node.ends_by_sigterm()


def secret_of(page):
    """What the page has rpc.conf hold, with a password."""
    lines = re.findall(r"^    (rpc\w+=.*)$", page, re.M)
    equal([line.partition("=")[0] for line in lines],
          ["rpcauth", "rpcwhitelist", "rpcwhitelistdefault"])
    digest = hmac.new(b"5a17", b"w0rd", "sha256").hexdigest()
    return "\n".join(lines).replace("SALT$HASH", f"5a17${digest}") + "\n"


def test_other_pods_log_in_by_the_secret(context):
    """As doc/cluster.md tells: the line is switched on, and the secret's file lies beside."""
    page = text_of(ROOT, "doc", "cluster.md")
    equal("create secret generic cairn-rpc --from-file=rpc.conf\n" in page, True)
    node = pod(context, changes=[("addnode=cairn-0.cairn-peers", "listen=0"),
                                 ("addnode=cairn-peers", "connect=0")])
    folder = os.path.join(node.home, ".cairn")
    config = text_of(folder, "cairn.conf")
    switched = config.replace("#includeconf=/home/cairn/.cairn/", f"includeconf={folder}/")
    equal(switched != config, True)
    for name, text in (("cairn.conf", switched), ("rpc.conf", secret_of(page))):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(text)
    node.run()  # asks by the cookie
    wallet = framework.Rpc(node.port, "wallet:w0rd")
    equal(wallet.getblockcount(), 0)
    equal(wallet.post('{"method": "stop"}')[0], 403, "a method that is not on the list")
    node.stop()


def health_check():
    """The command of the image, and what starts the node in it."""
    text = text_of(DOCKER, "Dockerfile")
    check = json.loads(re.search(r"^HEALTHCHECK .* CMD (\[.*\])$", text, re.M).group(1))
    entry = json.loads(re.search(r"^ENTRYPOINT (\[.*\])$", text, re.M).group(1))
    equal((check[0], entry), ("wget", ["cairnd"]))
    return check


def test_the_image_finds_its_node_on_every_chain(_):
    port = re.search(r":(\d+)/readyz$", health_check()[-1]).group(1)
    sections = re.findall(r"^\[(\w+)\]\nrpcport=(\d+)$", text_of(DOCKER, "cairn.conf"), re.M)
    equal(sections, [(name, port) for name in ("main", "test", "testnet4", "signet", "regtest")])
    equal(port in re.search(r"^EXPOSE (.*)$", text_of(DOCKER, "Dockerfile"), re.M).group(1).split(),
          True)


def test_the_health_check_of_the_image(context):
    if not shutil.which("busybox"):
        raise Skip("no busybox here")
    node = Contained(context, "image", text_of(DOCKER, "cairn.conf")).run("-chain=regtest",
                                                                          "-connect=0")
    command = ["busybox", *health_check()[:-1], f"http://127.0.0.1:{node.port}/readyz"]
    said = {"check": False, "timeout": 10, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    equal(subprocess.run(command, **said).returncode, 1, "before the first block")
    node.rpc.generatetoaddress(1, ADDRESS)
    equal(subprocess.run(command, **said).returncode, 0, "when it is ready")
    node.ends_by_sigterm()


# -- Names of peers -----------------------------------------------------------------------------


class NameServer:
    """Answers for names of a cluster: at NAME_SERVER, from .addresses, {name: IPv4 address}."""

    def __init__(self):
        self.addresses, self.asked = {}, []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self.socket.bind((NAME_SERVER, 53))
        except OSError as error:
            self.socket.close()
            raise Skip(f"no name server at {NAME_SERVER}: {error}") from error
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                packet, who = self.socket.recvfrom(512)
                self.socket.sendto(self._answer(packet), who)
            except OSError:
                return

    def _answer(self, packet):
        labels, at = [], 12
        while packet[at]:
            labels.append(packet[at + 1:at + 1 + packet[at]].decode().lower())
            at += 1 + packet[at]
        kind, = struct.unpack(">H", packet[at + 1:at + 3])
        name = ".".join(labels)
        self.asked.append(name)
        address = self.addresses.get(name)
        has = address is not None and kind == TYPE_A
        # RFC 1035, 4.1.1: an authoritative answer; 3: there is no such name.
        head = packet[:2] + struct.pack(">HHHHH", 0x8580 | (0 if address else 3), 1, int(has), 0, 0)
        record = b"\xc0\x0c" + struct.pack(">HHIH", TYPE_A, 1, 5, 4) + socket.inet_aton(
            address or "0.0.0.0")
        return head + packet[12:at + 5] + (record if has else b"")


def can_mount(context):
    """A wrapper that shows a process another /etc/resolv.conf, as a pod has it; Skip if that cannot
    be."""
    path = os.path.join(context.scratch, "resolv.conf")
    with open(path, "w", encoding="ascii") as file:
        file.write(f"search {DOMAIN} svc.cluster.local cluster.local\n"
                   f"nameserver {NAME_SERVER}\noptions ndots:5\n")
    script = f'mount --bind {path} /etc/resolv.conf && exec "$@"'
    wrapper = ["unshare", "-m", "sh", "-c", script, "sh"]
    tried = subprocess.run([*wrapper, "true"], check=False, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, text=True)
    if tried.returncode:
        raise Skip(f"no mount namespace here: {tried.stdout.strip()}")
    return wrapper


def test_a_pod_that_comes_back_with_another_address_is_found(context):
    """A stateful set gives a pod the same name and another address; in between it has no name."""
    wrapper, names, port = can_mount(context), NameServer(), free_port()
    context.cleanups.append(names.socket.close)
    first = f"cairn-0.cairn-peers.{DOMAIN}"
    peers = [context.node(name, ["-listen=1", f"-bind={address}:{port}"]).start()
             for name, address in (("old", "127.0.0.11"), ("new", "127.0.0.12"))]
    names.addresses[first] = "127.0.0.11"
    name = "addnode=cairn-0.cairn-peers"
    node = pod(context, changes=[(name, f"{name}:{port}"), ("addnode=cairn-peers", "listen=0")])
    node.wrapper = wrapper
    node.run()

    def is_at(address):
        return [peer["addr"] for peer in node.rpc.getpeerinfo()
                if peer["version"]] == [f"{address}:{port}"]

    wait_until(lambda: is_at("127.0.0.11"), 30, "a peer by its name")
    names.addresses.clear()
    names.asked.clear()
    peers[0].stop()
    wait_until(lambda: first in names.asked, 30, "the name is asked for again")
    names.addresses[first] = "127.0.0.12"
    wait_until(lambda: is_at("127.0.0.12"), 30, "the peer at its new address")
    node.stop()
    peers[1].stop()


if __name__ == "__main__":
    framework.main(globals())

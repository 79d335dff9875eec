"""Loads what a run of Callsheet made into the open file, by nothing but what each artifact says of itself.

    callsheet artifacts --run ID --limit 1000 --json > answer.json
    blender --python load_assets.py -- answer.json [--save FILE.blend] [--report FILE.json]

Blender 3.0 or later. Everything that asks for thought (names, collections, colour spaces, how many frames, which pictures make one
material) was decided by the daemon: see docs/results.md, "Assets".
"""

import json
import os
import sys

import bpy


def main(arguments):
    answer, options = arguments[0], dict(zip(arguments[1::2], arguments[2::2]))
    with open(answer, encoding="utf-8") as file:
        artifacts = json.load(file)["artifacts"]
    report = {}
    # The oldest first: lists come newest first.
    for artifact in reversed(artifacts):
        asset = artifact.get("asset")
        if asset is None or "partOf" in asset:
            continue
        try:
            report[asset["name"]] = {"kind": asset["kind"], **LOADERS[asset["kind"]](artifact["path"], asset)}
        except Exception as error:  # One file that does not load must not cost the others.
            report[asset["name"]] = {"kind": asset["kind"], "error": f"{type(error).__name__}: {error}"}
    if "--save" in options:
        bpy.ops.wm.save_as_mainfile(filepath=os.path.abspath(options["--save"]))
    if "--report" in options:
        with open(options["--report"], "w", encoding="utf-8") as file:
            json.dump(report, file)
    for name, loaded in report.items():
        print(name, json.dumps(loaded))


# --- one function for each kind ---


def image(path, asset):
    picture = open_picture(path, asset["colorSpace"])
    picture.name = asset["name"]
    show_on_plane(picture, asset)
    return {"size": list(picture.size), "colorSpace": picture.colorspace_settings.name, "depth": picture.depth}


def image_sequence(path, asset):
    picture = open_picture(path, asset["colorSpace"])
    picture.name = asset["name"]
    node = show_on_plane(picture, asset)
    # As long as it is a single picture it knows its size.
    size = list(picture.size)
    picture.source = "SEQUENCE"
    node.image_user.frame_duration = asset["frames"]
    node.image_user.frame_start = 1
    node.image_user.frame_offset = asset["firstFrame"] - 1
    node.image_user.frame_current = asset["firstFrame"] + asset["frames"] - 1
    last = picture.filepath_from_user(image_user=node.image_user)
    found = {"last": os.path.basename(last), "lastIsThere": os.path.exists(last)}
    return {"size": size, "source": picture.source, "frames": node.image_user.frame_duration, **found}


def movie(path, asset):
    clip = bpy.data.movieclips.load(path)
    clip.name = asset["name"]
    clip.colorspace_settings.name = color_space(clip, asset["colorSpace"])
    picture = bpy.data.images.load(path)
    picture.name = asset["name"]
    node = show_on_plane(picture, asset)
    node.image_user.frame_duration = asset.get("frames", clip.frame_duration)
    return {"size": list(clip.size), "frames": clip.frame_duration, "fps": clip.fps, "source": picture.source}


def sound(path, asset):
    heard = bpy.data.sounds.load(path)
    heard.name = asset["name"]
    # A sound that no strip plays is dropped when the file is saved.
    heard.use_fake_user = True
    return {"channels": heard.channels, "rate": heard.samplerate}


def mesh(path, asset):
    before = set(bpy.data.objects)
    importer = MESHES[asset["format"]]
    if importer is None:
        raise RuntimeError(f"this Blender reads no {asset['format']}")
    importer(path)
    made = [one for one in bpy.data.objects if one not in before]
    if not made:
        raise RuntimeError("nothing was imported")
    for one in made:
        put_into(one, asset)
    tops = [one for one in made if one.parent is None or one.parent not in made]
    tops[0].name = asset["name"]
    vertices = sum(len(one.data.vertices) for one in made if one.type == "MESH")
    return {"objects": len(made), "vertices": vertices}


def hdri(path, asset):
    world = bpy.data.worlds.new(asset["name"])
    world.use_nodes = True
    nodes, links = world.node_tree.nodes, world.node_tree.links
    environment = nodes.new("ShaderNodeTexEnvironment")
    environment.image = open_picture(path, asset["colorSpace"])
    links.new(environment.outputs["Color"], nodes["Background"].inputs["Color"])
    bpy.context.scene.world = world
    return {"size": list(environment.image.size), "colorSpace": environment.image.colorspace_settings.name, "isFloat": environment.image.is_float}


def material(_path, asset):
    made = bpy.data.materials.new(asset["name"])
    made.use_nodes = True
    made.use_fake_user = True
    nodes, links = made.node_tree.nodes, made.node_tree.links
    shader = nodes["Principled BSDF"]
    textures = {}
    for entry in asset["maps"]:
        texture = nodes.new("ShaderNodeTexImage")
        texture.image = open_picture(entry["path"], entry["colorSpace"])
        texture.label = entry["map"]
        textures[entry["map"]] = texture
    for name, texture in textures.items():
        if name == "normal":
            bend = nodes.new("ShaderNodeNormalMap")
            links.new(texture.outputs["Color"], bend.inputs["Color"])
            links.new(bend.outputs["Normal"], shader.inputs["Normal"])
        elif name == "bump":
            bend = nodes.new("ShaderNodeBump")
            links.new(texture.outputs["Color"], bend.inputs["Height"])
            if "normal" not in textures:
                links.new(bend.outputs["Normal"], shader.inputs["Normal"])
        elif name == "displacement":
            move = nodes.new("ShaderNodeDisplacement")
            links.new(texture.outputs["Color"], move.inputs["Height"])
            links.new(move.outputs["Displacement"], nodes["Material Output"].inputs["Displacement"])
        elif name != "ambient_occlusion":  # The renderer works it out; the texture is there to be mixed in by hand.
            links.new(texture.outputs["Color"], input_of(shader, name))
    linked = sorted(one.name for one in shader.inputs if one.is_linked)
    spaces = {name: texture.image.colorspace_settings.name for name, texture in textures.items()}
    return {"inputs": linked, "colorSpaces": spaces}


def text(path, asset):
    block = bpy.data.texts.load(path)
    block.name = asset["name"]
    return {"lines": len(block.lines)}


LOADERS = {
    "image": image,
    "image_sequence": image_sequence,
    "movie": movie,
    "sound": sound,
    "mesh": mesh,
    "hdri": hdri,
    "material": material,
    "text": text,
}


def operator(*names):
    """The first that this Blender has: importers were rewritten under new names, and old ones went."""
    for name in names:
        room, what = name.split(".")
        found = getattr(getattr(bpy.ops, room), what)
        try:
            found.get_rna_type()
        except KeyError:
            continue
        return lambda path: found(filepath=path)
    return None


MESHES = {
    **dict.fromkeys(["glb", "gltf"], operator("import_scene.gltf")),
    **dict.fromkeys(["usd", "usda", "usdc", "usdz"], operator("wm.usd_import")),
    "obj": operator("wm.obj_import", "import_scene.obj"),
    "fbx": operator("wm.fbx_import", "import_scene.fbx"),
    "stl": operator("wm.stl_import", "import_mesh.stl"),
    "ply": operator("wm.ply_import", "import_mesh.ply"),
}


# --- what they share ---


def open_picture(path, space):
    picture = bpy.data.images.load(path)
    picture.colorspace_settings.name = color_space(picture, space)
    if picture.size[0] == 0:
        raise RuntimeError("Blender cannot read the picture")
    return picture


def color_space(block, name):
    """`Linear Rec.709` was `Linear` before Blender 4."""
    known = block.colorspace_settings.bl_rna.properties["name"].enum_items.keys()
    return "Linear" if name == "Linear Rec.709" and name not in known else name


def input_of(shader, name):
    words = {"base_color": ["Base Color"], "emission": ["Emission Color", "Emission"], "specular": ["Specular IOR Level", "Specular"]}
    for word in words.get(name, [name.capitalize()]):
        if word in shader.inputs:
            return shader.inputs[word]
    raise RuntimeError(f"this Blender's shader has no {name}")


def show_on_plane(picture, asset):
    """A plane of the picture's shape, so that it can be seen, lit and moved."""
    bpy.ops.mesh.primitive_plane_add()
    plane = bpy.context.object
    plane.name = asset["name"]
    plane.dimensions.x = plane.dimensions.y * picture.size[0] / max(1, picture.size[1])
    surface = bpy.data.materials.new(asset["name"])
    surface.use_nodes = True
    node = surface.node_tree.nodes.new("ShaderNodeTexImage")
    node.image = picture
    node.image_user.use_auto_refresh = True
    surface.node_tree.links.new(node.outputs["Color"], input_of(surface.node_tree.nodes["Principled BSDF"], "base_color"))
    plane.data.materials.append(surface)
    put_into(plane, asset)
    return node


def put_into(thing, asset):
    """Into the asset's collection, and out of any other; `a/b` is `b` in `a`."""
    parent = bpy.context.scene.collection
    for name in asset.get("collection", "").split("/"):
        if name == "":
            continue
        inner = next((one for one in parent.children if one.name == name), None)
        if inner is None:
            inner = bpy.data.collections.new(name)
            parent.children.link(inner)
        parent = inner
    for other in list(thing.users_collection):
        other.objects.unlink(thing)
    parent.objects.link(thing)


if __name__ == "__main__":
    main(sys.argv[sys.argv.index("--") + 1 :])

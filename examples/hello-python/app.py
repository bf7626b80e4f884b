import platform


def handler(event, context):
    name = event.get("name", "world")
    print(f"greeting {name}")
    return {"message": f"Hello {name}, from Python {platform.python_version()}", "function": context.function_name}

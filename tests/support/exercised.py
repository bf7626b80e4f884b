"""What the tests exercise: the operations that they call for what they do, not only for what they refuse.

Read from their source, so that it does not depend on which tests ran, nor in what order.
"""

import ast


def words_of(source):
    """The names that a module calls, and the strings of it that may name what is called (paginators, the AWS CLI, raw requests).

    Left out is what is only refused: calls in a `with pytest.raises(...)`, and those that are handed to a function which is there to
    see them refused, as refusal(client.create_user, UserName="a b").
    """
    tree = ast.parse(source)
    refusers = {"refusal", *(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and _is_refuser(node))}
    found = set()
    _gather(tree, refusers, found)
    return found


def exercises(words, operation, snake):
    return not words.isdisjoint({operation, snake, snake.replace("_", "-")})


def _is_refuser(function):
    """Takes a call as an argument and wants it refused: the tests call such an argument `call`."""
    takes_call = any(argument.arg == "call" for argument in function.args.args)
    return takes_call and any(_is_raises(node) or _called(node) == "refusal" for node in ast.walk(function))


def _is_raises(node):
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "raises"


def _called(node):
    """The name of what a call calls, without what it belongs to."""
    if not isinstance(node, ast.Call):
        return None
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", None)


def _gather(node, refusers, found):
    if isinstance(node, ast.With) and any(_is_raises(item.context_expr) for item in node.items):
        return
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return  # A docstring is no call.
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        found.update({node.value, *(word for word in node.value.split() if "-" in word)})
    if isinstance(node, ast.Call):
        handed = [*node.args, *(keyword.value for keyword in node.keywords)]
        if _called(node) in refusers:
            handed = [value for value in handed if not isinstance(value, ast.Attribute)]
        else:
            found.add(_called(node))
            found.update(value.attr for value in handed if isinstance(value, ast.Attribute))
        for child in (node.func, *handed):
            _gather(child, refusers, found)
        return
    for child in ast.iter_child_nodes(node):
        _gather(child, refusers, found)

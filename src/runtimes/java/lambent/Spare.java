package lambent;

final class Spare {
    private Spare() {}

    static void await() {
        throw new UnsupportedOperationException();
    }
}

"""A flow of five steps for Metaflow."""

from metaflow import FlowSpec, step


class Chain(FlowSpec):
    @step
    def start(self):
        self.x = 0
        self.next(self.one)

    @step
    def one(self):
        self.x += 1
        self.next(self.two)

    @step
    def two(self):
        self.x += 1
        self.next(self.three)

    @step
    def three(self):
        self.x += 1
        self.next(self.end)

    @step
    def end(self):
        print(self.x)


if __name__ == "__main__":
    Chain()
